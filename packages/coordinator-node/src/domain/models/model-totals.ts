import type { FieldSum, SnapshotTotals } from '../snapshot.ts'
import { addFinite } from '../statistics/finite-sum.ts'
import type { Instant } from '../time.ts'

/** Sums over some snapshots of one model. */
export interface RunningTotals {
  /** Sum of the ranking value over `count` numbers: the model's scores, and the scores charged for rounds without a row. */
  sum: number
  count: number
  scoreCount: number
  dueCount: number
  answeredCount: number
  validCount: number
  excusedCount: number
}

/** One model's snapshots, oldest first, as numbers in typed arrays: 60 bytes each, where an object takes 800. */
export interface ModelTotals {
  readonly length: number
  /** @param totals of a later period than the last */
  add(totals: SnapshotTotals): void
  /** Removes the snapshots of periods that end before `periodEnd`. */
  forgetBefore(periodEnd: Instant): void
  /** Index of the first that ends at `periodEnd` or later; `length` without one. */
  indexFrom(periodEnd: Instant): number
  /** `NaN` after the last one. */
  periodEndAt(index: number): Instant
  /** Adds a snapshot to sums: `missed` always, `unasked` if newcomers are charged for it. */
  addTo(total: RunningTotals, index: number, chargesUnasked: boolean): void
  /** Whether the model was called at all; rounds missed by the coordinator's fault are excused and not due. */
  hasRow(): boolean
}

// The layout of a row in each array.
const sumsPerRow = 4
const countsPerRow = 7
const leastCapacity = 16

const nothing = { sum: 0, count: 0 }

interface Columns {
  readonly sums: Float64Array
  readonly counts: Int32Array
}

/**
 * @param field the score field used for ranking; sums of other fields are not stored
 * @param expected approximate number of snapshots, because growing the arrays later leaves garbage
 */
export function createModelTotals(field: string, expected = 0): ModelTotals {
  let columns = emptyColumns(expected)
  let first = 0
  let end = 0

  const periodEndAt = (index: number) =>
    first + index < end ? (columns.sums[(first + index) * sumsPerRow] as number) : Number.NaN

  function makeRoom(): void {
    if (end * sumsPerRow < columns.sums.length) return
    const old = columns
    columns = emptyColumns(Math.ceil((end - first) * 1.25))
    columns.sums.set(old.sums.subarray(first * sumsPerRow, end * sumsPerRow))
    columns.counts.set(old.counts.subarray(first * countsPerRow, end * countsPerRow))
    end -= first
    first = 0
  }

  function indexFrom(periodEnd: Instant): number {
    let low = 0
    let high = end - first
    while (low < high) {
      const middle = (low + high) >>> 1
      if (periodEndAt(middle) >= periodEnd) high = middle
      else low = middle + 1
    }
    return low
  }

  return {
    get length() {
      return end - first
    },
    add(totals) {
      if (end > first && periodEndAt(end - first - 1) >= totals.periodEnd) {
        throw new RangeError('a snapshot is out of order')
      }
      makeRoom()
      writeRow(columns, end, totals, totals.sums[field] ?? nothing)
      end += 1
    },
    forgetBefore(periodEnd) {
      first += indexFrom(periodEnd)
    },
    indexFrom,
    periodEndAt,
    addTo: (total, index, chargesUnasked) => addRow(total, columns, first + index, chargesUnasked),
    hasRow() {
      for (let at = first * countsPerRow; at < end * countsPerRow; at += countsPerRow) {
        if ((columns.counts[at + 3] as number) + (columns.counts[at + 6] as number) > 0) return true
      }
      return false
    },
  }
}

function emptyColumns(expected: number): Columns {
  const capacity = Math.max(leastCapacity, expected)
  return { sums: new Float64Array(capacity * sumsPerRow), counts: new Int32Array(capacity * countsPerRow) }
}

/** Field by field: a list for each snapshot would take most of the time. */
function writeRow({ sums, counts }: Columns, row: number, totals: SnapshotTotals, own: FieldSum): void {
  const { missed, unasked } = totals
  const sumAt = row * sumsPerRow
  sums[sumAt] = totals.periodEnd
  sums[sumAt + 1] = own.sum
  sums[sumAt + 2] = missed.sum
  sums[sumAt + 3] = unasked.sum
  const countAt = row * countsPerRow
  counts[countAt] = own.count
  counts[countAt + 1] = missed.count
  counts[countAt + 2] = unasked.count
  counts[countAt + 3] = totals.dueCount
  counts[countAt + 4] = totals.answeredCount
  counts[countAt + 5] = totals.validCount
  counts[countAt + 6] = totals.excusedCount
}

function addRow(total: RunningTotals, { sums, counts }: Columns, row: number, chargesUnasked: boolean): void {
  const sumAt = row * sumsPerRow
  const countAt = row * countsPerRow
  const charged = chargesUnasked ? 3 : 2
  for (let kind = 0; kind < charged; kind += 1) {
    total.sum = addFinite(total.sum, sums[sumAt + 1 + kind] as number)
    total.count += counts[countAt + kind] as number
  }
  total.scoreCount += counts[countAt] as number
  total.dueCount += counts[countAt + 3] as number
  total.answeredCount += counts[countAt + 4] as number
  total.validCount += counts[countAt + 5] as number
  total.excusedCount += counts[countAt + 6] as number
}
