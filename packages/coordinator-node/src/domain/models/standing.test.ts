import { expect, test } from 'vitest'
import { periodRounds, snapshot, spanOf } from '../../ports/store-samples.ts'
import { standingOf } from './standing.ts'

const periods = [10, 20].map((end) => periodRounds(end))

test('a snapshot of no period of its span is never left out in silence', () => {
  const { totals } = spanOf(periods, [snapshot('a', 10), snapshot('a', 15)])
  expect(() => standingOf({ newcomers: 'wait' }, { registeredAt: 0 }, periods, 2, totals.get('a'))).toThrow(
    'a snapshot matches no period of its span, or is out of order',
  )
})

test('a model has a row in the periods in which an answer of it was due or excused', () => {
  const none = { dueCount: 0, excusedCount: 0 }
  const hasRow = (...rest: readonly object[]) => {
    const snapshots = rest.map((counts, index) => snapshot('a', 10 * (index + 1), { ...none, ...counts }))
    return spanOf(periods, snapshots).totals.get('a')?.hasRow()
  }
  expect(hasRow({}, {})).toBe(false)
  expect(hasRow({}, { dueCount: 1 })).toBe(true)
  expect(hasRow({ excusedCount: 1 })).toBe(true)
})
