import { describe, expect, test } from 'vitest'
import { changedContract, market } from '../../../test/sample-contract.ts'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import type { AnyContract } from '../../contract/crunch-contract.ts'
import { onlyEra } from '../../domain/era.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import { silentLog } from '../../ports/log.ts'
import type { Store } from '../../ports/store.ts'
import { btc, candle, minute, round, schedule } from '../../ports/store-samples.ts'
import { readSettings } from '../settings.ts'
import { pruneFeeds } from './prune-feeds.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const now = minute(0)

/** A record that became known this long ago. */
const known = (ageMs: number): FeedRecord => ({ ...candle(0), eventAt: now - ageMs - 60_000, knownAt: now - ageMs })

interface Pruning {
  readonly contract: AnyContract
  readonly store: Store
  readonly days?: number
}

/** Prunes once, as at the start of a worker, and returns the ages of the remaining records, oldest first. */
async function agesLeft({ contract, store, days = 0.01 }: Pruning): Promise<readonly number[]> {
  const ending = new AbortController()
  const settings = readSettings({ FEED_RECORD_TTL_DAYS: `${days}` })
  await pruneFeeds({
    ...{
      contract,
      settings,
      log: silentLog,
      sources: new Map(),
      signal: ending.signal,
      era: onlyEra,
      ready: () => undefined,
      contractFolder: '.',
    },
    clock: { now: () => now, refresh: async () => now, turn: async () => {} },
    store: {
      ...store,
      async pruneRecords(request) {
        const count = await store.pruneRecords(request)
        if (count < request.limit) ending.abort()
        return count
      },
    },
  })
  return (await store.latestRecords(btc, 1_000_000, now)).map(({ knownAt }) => now - knownAt)
}

async function storeWith(ages: readonly number[]): Promise<Store> {
  const store = createMemoryStore()
  await store.appendRecords(ages.map(known))
  return store
}

/** Expects that of records just below and above an age, only the younger one and a new one remain. */
async function isKeptFrom(ageMs: number, contract: AnyContract, days?: number): Promise<void> {
  const store = await storeWith([ageMs + 1, ageMs, 0])
  expect(await agesLeft({ contract, store, ...(days !== undefined && { days }) })).toEqual([ageMs, 0])
}

const feedOf = (granularity: string, frozenAfter?: number) => ({
  feed: { ...market, granularity, ...(frozenAfter !== undefined && { gate: { frozenAfter } }) },
})

describe('pruneFeeds', () => {
  test('deletes all records older than FEED_RECORD_TTL_DAYS, in several batches', async () => {
    const old = Array.from({ length: 20_500 }, (_, index) => 3 * dayMs + 1 + index)
    const store = await storeWith([...old, 3 * dayMs, dayMs, 0])
    expect(await agesLeft({ contract: changedContract({}), store, days: 3 })).toEqual([3 * dayMs, dayMs, 0])
  })

  test('keeps at least a day, even if FEED_RECORD_TTL_DAYS is shorter', () => isKeptFrom(dayMs, changedContract({})))

  test('keeps the window of the input', () => isKeptFrom(3 * dayMs, changedContract({ input: { window: '3d' } }), 2))

  test('keeps a hundred records of an hourly series', () => isKeptFrom(100 * hourMs, changedContract(feedOf('1h'))))

  test('keeps the records that the gate of a series needs', () =>
    isKeptFrom(150 * hourMs, changedContract(feedOf('1h', 50))))

  test('keeps the same span before an unsettled round, however old the round is', async () => {
    const store = await storeWith([60, 54, 53, 52, 0].map((days) => days * dayMs + hourMs))
    await store.putSchedules([schedule()])
    await store.openRound(round(0, { performedAt: now - 50 * dayMs }))
    const contract = changedContract({ input: { window: '3d' } })
    expect(await agesLeft({ contract, store, days: 30 })).toEqual([52, 0].map((days) => days * dayMs + hourMs))
  })
})
