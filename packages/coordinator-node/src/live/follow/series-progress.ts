import type { Stretch } from '../../domain/stretch.ts'
import type { Instant } from '../../domain/time.ts'
import type { SourceRecord } from '../../ports/feed-source.ts'

/** Number of newest records that are remembered to recognize repeated ones. */
const rememberedRecords = 4_096

/** Which records of one series have arrived, from a source that may repeat, skip or reorder them. */
export interface SeriesProgress {
  /**
   * The `eventAt` from which no record has arrived yet; `null` before the first record of a series that starts over.
   */
  next(): Instant | null
  /** Whether exactly this record has arrived before. A record with other values is a revision, which the store handles. */
  isKnown(record: SourceRecord): boolean
  /** The gap in the grid before a record that is about to be accepted; `null` without a gap or grid. */
  holeBefore(record: SourceRecord): Stretch | null
  take(record: SourceRecord): void
}

/**
 * @param stepMs grid step, for a series with one record per step
 * @param next where the series continues; `null` for a series that starts with the first record to arrive
 * @param knownBefore older records count as known; default: none
 * @param missing gaps before `knownBefore`, which are not known
 */
export function createSeriesProgress(
  stepMs: number | null,
  next: Instant | null,
  knownBefore: Instant = Number.NEGATIVE_INFINITY,
  missing: readonly Stretch[] = [],
): SeriesProgress {
  const isMissing = (at: Instant) => missing.some(({ from, to }) => from <= at && at < to)
  const recent = new Map<Instant, string>()
  // A series that starts over begins with its first record.
  let hasBegun = Number.isFinite(knownBefore)
  let upTo = next
  return {
    next: () => upTo,
    isKnown(record) {
      if (record.eventAt < knownBefore && !isMissing(record.eventAt)) return true
      return recent.get(record.eventAt) === JSON.stringify(record.values)
    },
    holeBefore(record) {
      if (stepMs === null || upTo === null || !hasBegun || record.eventAt <= upTo) return null
      return { from: upTo, to: record.eventAt }
    },
    take(record) {
      hasBegun = true
      if (!recent.has(record.eventAt)) recent.set(record.eventAt, JSON.stringify(record.values))
      if (recent.size > rememberedRecords) recent.delete(recent.keys().next().value as Instant)
      upTo = Math.max(upTo ?? Number.NEGATIVE_INFINITY, record.eventAt + (stepMs ?? 1))
    },
  }
}
