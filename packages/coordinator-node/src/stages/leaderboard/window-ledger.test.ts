import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/store/memory/memory-store.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { leaderboard, minute, minuteMs, periodRounds, prepare, snapshot } from '../../ports/store-samples.ts'
import { createWindowLedger } from './window-ledger.ts'

/** A ledger of 30 minutes on a store, with its requests to the store. */
async function openLedger(...stored: (readonly Snapshot[])[]) {
  const store = createMemoryStore()
  await prepare(store)
  const close = async (end: number, snapshots: readonly Snapshot[]) => {
    await store.closePeriod({ rounds: periodRounds(end), snapshots, leaderboard: leaderboard(end) })
  }
  for (const [index, snapshots] of stored.entries()) await close((index + 1) * 10, snapshots)
  const reads: [from: number, to: number][] = []
  const ledger = createWindowLedger(
    {
      ...store,
      periodsBetween(from, to) {
        reads.push([from, to])
        return store.periodsBetween(from, to)
      },
    },
    { lengthMs: 30 * minuteMs, beganAt: 0, field: 'value' },
  )
  /** Content of the window when a period closes: the end of each period, then the ends of each model's snapshots. */
  const at = async (end: number, snapshots: readonly Snapshot[], closedThrough = end - 10) => {
    const { span, latestMetrics } = await ledger.with({ rounds: periodRounds(end), snapshots }, minute(closedThrough))
    const minuteOf = (instant: number) => (instant - minute(0)) / minuteMs
    const totals = [...span.totals].map(([id, own]) => [
      id,
      Array.from({ length: own.length }, (_, index) => minuteOf(own.periodEndAt(index))),
    ])
    const periods = span.periods.map(({ periodEnd }) => minuteOf(periodEnd))
    return { periods, ...Object.fromEntries(totals), metrics: Object.fromEntries(latestMetrics) }
  }
  const closed = (end: number, snapshots: readonly Snapshot[]) =>
    ledger.closed({ rounds: periodRounds(end), snapshots })
  return { at, close, closed, reads }
}

const metrics = { ic: 0.5 }
const newer = { ic: null }
const a = (end: number) => snapshot('a', end, { metrics })
const b = (end: number) => snapshot('b', end, { metrics: newer })

describe('the window ledger', () => {
  test('contains the closing period and the earlier ones of the store', async () => {
    const { at } = await openLedger([a(10)], [a(20)])
    expect(await at(30, [b(30)])).toEqual({
      periods: [10, 20, 30],
      a: [10, 20],
      b: [30],
      metrics: { a: metrics, b: newer },
    })
  })

  test('reads the store only once while its own periods are consecutive', async () => {
    const { at, closed, reads } = await openLedger([a(10)], [a(20)])
    await at(30, [a(30), b(30)])
    closed(30, [])
    const later = { ...a(40), metrics: newer }
    expect(await at(40, [later])).toEqual({
      periods: [20, 30, 40],
      a: [20, 30, 40],
      b: [30],
      metrics: { a: newer, b: newer },
    })
    expect(reads).toEqual([[minute(0), minute(20)]])
  })

  test('reads again after another process has closed a period, even the one it was about to close', async () => {
    const { at, close, closed, reads } = await openLedger([a(10)])
    await at(20, [a(20)])
    closed(20, [])
    await close(20, [a(20)])
    await close(30, [b(30)])
    expect(await at(40, [])).toMatchObject({ periods: [20, 30, 40], a: [20], b: [30] })
    await close(40, [b(40)])
    expect(await at(50, [])).toMatchObject({ periods: [30, 40, 50], b: [30, 40] })
    expect(reads).toHaveLength(3)
  })

  test('does not contain a period whose closing failed', async () => {
    const { at } = await openLedger([a(10)])
    await at(20, [b(20)])
    expect(await at(20, [a(20)])).toEqual({ periods: [10, 20], a: [10, 20], metrics: { a: metrics } })
  })

  test('drops periods that have left the longest window, even after a long gap', async () => {
    const { at, closed } = await openLedger([a(10)], [b(20)])
    await at(30, [])
    closed(30, [])
    expect(await at(40, [])).toEqual({ periods: [20, 30, 40], b: [20], metrics: { b: newer } })
    closed(40, [])
    expect(await at(100, [a(100)], 40)).toEqual({ periods: [100], a: [100], metrics: { a: metrics } })
  })
})
