import { describe, expect, test } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import { onlyEra } from '../../domain/era.ts'
import { silentLog } from '../../ports/log.ts'
import type { PruneResults } from '../../ports/store-retention.ts'
import { minute, minuteMs, prepare } from '../../ports/store-samples.ts'
import { readSettings } from '../settings.ts'
import { pruneResults } from './prune-results.ts'

const dayMs = 86_400_000
const now = minute(0)

/** What the store is asked to delete, once, as at the start of a worker. A full batch is followed by another one. */
async function asked(settings: Readonly<Record<string, string>>, modelCount = 2) {
  const store = createMemoryStore()
  const ids = Array.from({ length: modelCount }, (_, index) => `${index}`)
  await prepare(store, ids)
  const ending = new AbortController()
  const calls: [what: string, request: PruneResults][] = []
  const noted = (what: string) => async (request: PruneResults) => {
    calls.push([what, request])
    const isFull = calls.filter(([other]) => other === what).length === 1
    if (what === 'periods' && !isFull) ending.abort()
    return isFull ? request.limit : 0
  }
  await pruneResults({
    contract: changedContract({}),
    settings: readSettings(settings),
    log: silentLog,
    sources: new Map(),
    signal: ending.signal,
    era: onlyEra,
    ready: () => undefined,
    contractFolder: '.',
    clock: { now: () => now, refresh: async () => now, turn: async () => {} },
    store: { ...store, pruneRounds: noted('rounds'), prunePeriods: noted('periods') },
  })
  return calls
}

describe('pruneResults', () => {
  test('deletes nothing, and ends, unless an age is set', async () => {
    expect(await asked({})).toEqual([])
  })

  test('deletes in batches what is older than the settings say, and never a window of the contract', async () => {
    const common = { windowMs: 60 * minuteMs, limit: 5_000 }
    const rounds = ['rounds', { ...common, before: now - 3 * dayMs }]
    const periods = ['periods', { ...common, before: now - 10 * dayMs }]
    expect(await asked({ ROUND_TTL_DAYS: '3', SNAPSHOT_TTL_DAYS: '10' })).toEqual([rounds, rounds, periods, periods])
  })

  test('takes fewer rounds at a time, the more models there are', async () => {
    const calls = await asked({ SNAPSHOT_TTL_DAYS: '10' }, 30)
    expect(calls.map(([what, { limit }]) => [what, limit])).toEqual([
      ['periods', 333],
      ['periods', 333],
    ])
  })
})
