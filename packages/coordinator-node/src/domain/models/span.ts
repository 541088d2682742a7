import type { PeriodRounds } from '../period-rounds.ts'
import type { SnapshotTotals } from '../snapshot.ts'
import type { Instant } from '../time.ts'
import { createModelTotals, type ModelTotals } from './model-totals.ts'

/** Closed periods that follow each other, oldest first, with what every model has in them. */
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
  snapshotTotals(from: Instant, to: Instant): Promise<readonly SnapshotTotals[]>
}

/** About as many snapshots are read at a time, and never more periods: later ones may have many more models. */
const pageSnapshots = 5_000
const pagePeriods = 200
/** Reads under way: the store works on the next ones while the answer to the first is decoded. */
const pagesAhead = 3

/**
 * Reads a span a few periods at a time, so that neither its memory nor the time of a statement grows with its length.
 * @param field the score field that is ranked by
 */
export async function readSpan(reads: SpanReads, from: Instant, to: Instant, field: string): Promise<GrowingSpan> {
  const span: GrowingSpan = { periods: [...(await reads.periodsBetween(from, to))], totals: new Map() }
  const ahead: Promise<readonly SnapshotTotals[]>[] = []
  for (let start = 0; ; ) {
    while (ahead.length < pagesAhead && start < span.periods.length) {
      const page = span.periods.slice(start, start + pageLength(span.totals.size))
      start += page.length
      const [first, last] = [page[0] as PeriodRounds, page.at(-1) as PeriodRounds]
      const read = reads.snapshotTotals(first.periodStart, last.periodEnd)
      // A failure is met when its turn comes, unless an earlier one ended everything.
      read.catch(() => undefined)
      ahead.push(read)
    }
    const page = ahead.shift()
    if (page === undefined) return span
    addTotals(span, await page, field)
  }
}

/** In periods. The first ones tell how many models there are. */
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

/** Takes away the periods that begin before `from`, with what the models have in them. */
export function forgetBefore({ periods, totals }: GrowingSpan, from: Instant): void {
  const firstKept = periods.findIndex(({ periodStart }) => periodStart >= from)
  const keptFrom = periods[firstKept]?.periodEnd ?? Number.POSITIVE_INFINITY
  periods.splice(0, firstKept === -1 ? periods.length : firstKept)
  for (const [modelId, own] of totals) {
    own.forgetBefore(keptFrom)
    if (own.length === 0) totals.delete(modelId)
  }
}
