import fc from 'fast-check'
import { expect, test } from 'vitest'
import { minute, minuteMs, periodRounds, snapshot } from '../../ports/store-samples.ts'
import type { Snapshot, SnapshotTotals } from '../snapshot.ts'
import { createModelTotals } from './model-totals.ts'
import { forgetBefore, readSpan } from './span.ts'

const emptyTotals = { sum: 0, count: 0, scoreCount: 0, dueCount: 0, answeredCount: 0, validCount: 0, excusedCount: 0 }

test('keeps every number of every snapshot after any additions and removals', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 })
  const fieldSum = fc.record({ sum: number, count: fc.nat(1e6) })
  const steps = fc.array(
    fc.tuple(fc.constantFrom('add', 'add', 'add', 'forget'), fieldSum, fieldSum, fieldSum, fc.nat(9)),
    {
      size: 'max',
      maxLength: 200,
    },
  )
  fc.assert(
    fc.property(steps, (taken) => {
      const totals = createModelTotals('value')
      let expected: Snapshot[] = []
      for (const [index, [step, own, missed, unasked, count]] of taken.entries()) {
        if (step === 'forget') {
          const from = expected[Math.floor((expected.length * count) / 10)]?.periodEnd ?? minute(index)
          totals.forgetBefore(from)
          expected = expected.filter(({ periodEnd }) => periodEnd >= from)
          continue
        }
        const counts = { dueCount: count, answeredCount: count + 1, validCount: count + 2, excusedCount: count + 3 }
        const added = snapshot('a', index, { sums: { value: own, other: missed }, missed, unasked, ...counts })
        totals.add(added)
        expected.push(added)
      }
      expect(totals.length).toBe(expected.length)
      for (const [index, one] of expected.entries()) {
        const total = { ...emptyTotals }
        totals.addTo(total, index, true)
        const own = one.sums.value ?? { sum: 0, count: 0 }
        expect(totals.periodEndAt(index)).toBe(one.periodEnd)
        expect(totals.indexFrom(one.periodEnd)).toBe(index)
        expect(total).toEqual({
          sum: 0 + own.sum + one.missed.sum + one.unasked.sum,
          count: own.count + one.missed.count + one.unasked.count,
          scoreCount: own.count,
          dueCount: one.dueCount,
          answeredCount: one.answeredCount,
          validCount: one.validCount,
          excusedCount: one.excusedCount,
        })
      }
    }),
  )
})

test('refuses a snapshot that is not later than the last', () => {
  const totals = createModelTotals('value')
  totals.add(snapshot('a', 20))
  expect(() => totals.add(snapshot('a', 20))).toThrow('out of order')
})

/** The reads of a store with one snapshot of each model in each period. */
function reads(ends: readonly number[], modelCount: number) {
  const asked: [from: number, to: number][] = []
  const most = { underWay: 0, ever: 0 }
  return {
    asked,
    most,
    periodsBetween: async () => ends.map((end) => periodRounds(end)),
    async snapshotTotals(from: number, to: number): Promise<readonly SnapshotTotals[]> {
      asked.push([(from - minute(0)) / minuteMs, (to - minute(0)) / minuteMs])
      most.underWay += 1
      most.ever = Math.max(most.ever, most.underWay)
      await Promise.resolve()
      most.underWay -= 1
      const within = ends.filter((end) => minute(end) > from && minute(end) <= to)
      return within.flatMap((end) => Array.from({ length: modelCount }, (_, index) => snapshot(`m${index}`, end)))
    },
  }
}

test('reads a span in parts of about equal numbers of snapshots, three at a time, each period once', async () => {
  const ends = Array.from({ length: 450 }, (_, index) => (index + 1) * 10)
  const many = reads(ends.slice(0, 60), 1_000)
  const span = await readSpan(many, minute(0), minute(9_000), 'value')
  expect([...span.totals.values()].map(({ length }) => length)).toEqual(Array.from({ length: 1_000 }, () => 60))
  expect(many.asked.map(([from, to]) => (to - from) / 10)).toEqual([1, 1, 1, ...Array<number>(11).fill(5), 2])
  expect(many.most.ever).toBe(3)
  const few = reads(ends, 2)
  await readSpan(few, minute(0), minute(9_000), 'value')
  expect(few.asked).toEqual([
    [0, 10],
    [10, 20],
    [20, 30],
    [30, 2_030],
    [2_030, 4_030],
    [4_030, 4_500],
  ])
})

test('rejects with the first read that fails', async () => {
  const failing = { ...reads([10, 20, 30], 1), snapshotTotals: async () => Promise.reject(new Error('no database')) }
  await expect(readSpan(failing, minute(0), minute(30), 'value')).rejects.toThrow('no database')
})

test('removes periods with their snapshots, and models without remaining snapshots', async () => {
  const span = await readSpan(reads([10, 20, 30], 1), minute(0), minute(30), 'value')
  forgetBefore(span, minute(15))
  expect([span.periods.length, span.totals.get('m0')?.length]).toEqual([1, 1])
  forgetBefore(span, minute(30))
  expect([span.periods.length, span.totals.size]).toEqual([0, 0])
})
