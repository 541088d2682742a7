import { describe, expect, test } from 'vitest'
import { type ContractChanges, resolvedContract } from '../../../test/sample-contract.ts'
import { createMemoryStore, type MemoryStore } from '../../adapters/store/memory/memory-store.ts'
import {
  answeredRound,
  candle,
  minute,
  minuteMs,
  prepare,
  resolveAll,
  round,
  settleRequest,
} from '../../ports/store-samples.ts'
import { nextClosablePeriod } from './next-period.ts'

// Rounds resolve five minutes after they open, periods last ten minutes, and a record is fresh for two minutes.

async function storeWith(...openedAt: number[]): Promise<MemoryStore> {
  const store = createMemoryStore()
  await prepare(store)
  for (const at of openedAt) await answeredRound(store, round(at))
  return store
}

async function settleAll(store: MemoryStore): Promise<void> {
  await store.appendRecords([candle(1_000)])
  await store.settleRounds(settleRequest({ now: minute(1_000) }), (due) => resolveAll(due))
}

const next = (store: MemoryStore, closedThrough: number | null, now: number, changes: ContractChanges = {}) =>
  nextClosablePeriod(
    resolvedContract(changes),
    store,
    10 * minuteMs,
    closedThrough === null ? 0 : minute(closedThrough),
    minute(now),
  )
const period = (start: number) => ({ start: minute(start), end: minute(start + 10) })

describe('nextClosablePeriod', () => {
  test('never overlaps closed periods after a change of the grid', async () => {
    const store = await storeWith(0, 4)
    await settleAll(store)
    expect(await next(store, 8, 1_000)).toEqual({ start: minute(8), end: minute(10) })
  })

  test('is none before the first round', async () => {
    expect(await next(await storeWith(), null, 1_000)).toBeNull()
  })

  test('is the period in which the first unclosed round resolves, once it is over and settled', async () => {
    const store = await storeWith(0, 5)
    await settleAll(store)
    expect(await next(store, null, 9)).toBeNull()
    expect(await next(store, null, 10)).toEqual(period(0))
  })

  test('waits for unsettled rounds', async () => {
    const store = await storeWith(0, 5)
    expect(await next(store, null, 1_000)).toBeNull()
    await settleAll(store)
    expect(await next(store, null, 1_000)).toEqual(period(0))
  })

  test('waits until no schedule can open another round in it', async () => {
    const store = await storeWith(0)
    await settleAll(store)
    // With a horizon of two minutes, a round at minute 7 could still open on a record that is two minutes late, and writing it
    // may take as long.
    const changes = {
      prediction: { schedule: [{ key: 'BTCUSDT-5m', subject: 'BTCUSDT', every: '1m', horizon: '2m' }] },
    }
    expect(await next(store, null, 11, changes)).toBeNull()
    expect(await next(store, null, 12, changes)).toEqual(period(0))
  })

  test('does not wait for a schedule without rounds once no record could open a round in the period', async () => {
    const store = await storeWith(0)
    await settleAll(store)
    const quick = { subject: 'ETHUSDT', every: '1m', horizon: '2m' }
    const prediction = { schedule: [{ subject: 'BTCUSDT', every: '1m', horizon: '5m' }, quick] }
    expect(await next(store, null, 11, { prediction })).toBeNull()
    expect(await next(store, null, 12, { prediction })).toEqual(period(0))
  })

  test('skips periods without rounds', async () => {
    const store = await storeWith(0, 40)
    await settleAll(store)
    expect(await next(store, 10, 1_000)).toEqual(period(40))
    expect(await next(store, 50, 1_000)).toBeNull()
  })
})
