import type { PeriodRounds } from '../period-rounds.ts'
import type { SnapshotTotals } from '../snapshot.ts'
import type { Instant } from '../time.ts'
import { createModelTotals, type ModelTotals } from './model-totals.ts'

/** Consecutive closed periods, oldest first, with the totals of every model. */
export interface Span {
  readonly periods: readonly PeriodRounds[]
  /** Models without a snapshot are left out. */
  readonly totals: ReadonlyMap<string, ModelTotals>
}

/** A span that grows. */
export interface GrowingSpan extends Span {
  readonly periods: PeriodRounds[]
  readonly totals: Map<string, ModelTotals>
}

/** Reads stored periods: those with `from <= periodStart` and `periodEnd <= to`, oldest first. */
export interface SpanReads {
  periodsBetween(from: Instant, to: Instant): Promise<readonly PeriodRounds[]>
  /** @param field sums of other score fields may be left out */
  snapshotTotals(from: Instant, to: Instant, field: string): Promise<readonly SnapshotTotals[]>
}

/** Approximate number of snapshots per read, and maximum number of periods, because later periods may have many more models. */
const pageSnapshots = 5_000
const pagePeriods = 200
/** Number of concurrent reads: the store works on the next ones while the first result is decoded. */
const pagesAhead = 3

/**
 * Reads a span a few periods at a time, so that neither its memory nor the time of a statement grows with its length.
 * @param field the score field used for ranking
 */
export async function readSpan(reads: SpanReads, from: Instant, to: Instant, field: string): Promise<GrowingSpan> {
  const span: GrowingSpan = { periods: [...(await reads.periodsBetween(from, to))], totals: new Map() }
  const ahead: Promise<readonly SnapshotTotals[]>[] = []
  for (let start = 0; ; ) {
    while (ahead.length < pagesAhead && start < span.periods.length) {
      const page = span.periods.slice(start, start + pageLength(span.totals.size))
      start += page.length
      const [first, last] = [page[0] as PeriodRounds, page.at(-1) as PeriodRounds]
      const read = reads.snapshotTotals(first.periodStart, last.periodEnd, field)
      // A failed read is reported in its turn, unless an earlier one has failed.
      read.catch(() => undefined)
      ahead.push(read)
    }
    const page = ahead.shift()
    if (page === undefined) return span
    addTotals(span, await page, field)
  }
}

/** Periods per read. The first periods show the number of models. */
function pageLength(modelCount: number): number {
  return modelCount === 0 ? 1 : Math.max(1, Math.min(pagePeriods, Math.floor(pageSnapshots / modelCount)))
}

/** @param totals later than those of the span, oldest first */
export function addTotals(
  { periods, totals: models }: GrowingSpan,
  totals: readonly SnapshotTotals[],
  field: string,
): void {
  for (const one of totals) {
    let own = models.get(one.modelId)
    if (own === undefined) {
      own = createModelTotals(field, periods.length)
      models.set(one.modelId, own)
    }
    own.add(one)
  }
}

/** Removes the periods that begin before `from`, with the totals of the models in them. */
export function forgetBefore({ periods, totals }: GrowingSpan, from: Instant): void {
  const firstKept = periods.findIndex(({ periodStart }) => periodStart >= from)
  const keptFrom = periods[firstKept]?.periodEnd ?? Number.POSITIVE_INFINITY
  periods.splice(0, firstKept === -1 ? periods.length : firstKept)
  for (const [modelId, own] of totals) {
    own.forgetBefore(keptFrom)
    if (own.length === 0) totals.delete(modelId)
  }
}
