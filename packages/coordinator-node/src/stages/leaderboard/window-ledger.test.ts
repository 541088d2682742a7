import { describe, expect, test } from 'vitest'
import type { Snapshot } from '../../domain/snapshot.ts'
import { minute, minuteMs, periodRounds, snapshot } from '../../ports/store-samples.ts'
import { createWindowLedger } from './window-ledger.ts'

/** A ledger of 30 minutes on a list of stored snapshots and their periods, with what it asked of them. */
function openLedger(stored: Snapshot[]) {
  const reads: [from: number, to: number][] = []
  const within = <Item extends Pick<Snapshot, 'periodStart' | 'periodEnd'>>(
    items: readonly Item[],
    from: number,
    to: number,
  ) => items.filter((item) => item.periodStart >= from && item.periodEnd <= to)
  const ledger = createWindowLedger(
    {
      async snapshotsBetween(from, to) {
        reads.push([from, to])
        return within(stored, from, to)
      },
      async periodsBetween(from, to) {
        const ends = [...new Set(stored.map((item) => (item.periodEnd - minute(0)) / minuteMs))]
        const periods = ends.map((end) => periodRounds(end))
        return within(periods, from, to)
      },
    },
    30 * minuteMs,
    0,
  )
  const before = async (lastEnd: number | null, asOf: number) => {
    const span = await ledger.before(lastEnd === null ? null : minute(lastEnd), minute(asOf))
    const ends = span.snapshots.map((item) => item.periodEnd)
    // Every snapshot has its period beside it, once.
    expect(span.periods.map((item) => item.periodEnd)).toEqual([...new Set(ends)])
    return ends
  }
  return { ledger, before, reads }
}

describe('the window ledger', () => {
  test('has nothing, and reads nothing, before the first period', async () => {
    const { before, reads } = openLedger([])
    expect(await before(null, 10)).toEqual([])
    expect(reads).toEqual([])
  })

  test('reads the store once, and keeps its own periods after that', async () => {
    const { ledger, before, reads } = openLedger([snapshot('a', 10), snapshot('a', 20)])
    expect(await before(20, 30)).toEqual([minute(10), minute(20)])
    ledger.add(periodRounds(30), [snapshot('a', 30), snapshot('b', 30)])
    expect(await before(30, 40)).toEqual([minute(20), minute(30), minute(30)])
    expect(reads).toEqual([[minute(0), minute(20)]])
  })

  test('reads again when another process closed a period', async () => {
    const stored = [snapshot('a', 10)]
    const { before, reads } = openLedger(stored)
    expect(await before(10, 20)).toEqual([minute(10)])
    stored.push(snapshot('a', 20))
    expect(await before(20, 30)).toEqual([minute(10), minute(20)])
    expect(reads).toHaveLength(2)
  })

  test('keeps a period that has no snapshot', async () => {
    const { ledger } = openLedger([])
    ledger.add(periodRounds(10), [])
    expect(await ledger.before(minute(10), minute(20))).toEqual({ periods: [periodRounds(10)], snapshots: [] })
  })

  test('forgets what has left the longest window, also after a long silence', async () => {
    const { ledger, before } = openLedger([snapshot('a', 10), snapshot('a', 20), snapshot('a', 30)])
    expect(await before(30, 40)).toEqual([minute(20), minute(30)])
    expect(await before(30, 100)).toEqual([])
    ledger.add(periodRounds(100), [snapshot('a', 100)])
    expect(await before(100, 110)).toEqual([minute(100)])
  })
})
