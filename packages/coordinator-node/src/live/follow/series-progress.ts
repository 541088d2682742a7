import type { Stretch } from '../../domain/stretch.ts'
import type { Instant } from '../../domain/time.ts'
import type { SourceRecord } from '../../ports/feed-source.ts'

/** How many of the newest records are remembered, to recognise repeated ones. */
const rememberedRecords = 4_096

/** Which records of one series have arrived, from a source that may repeat, skip or reorder them. */
export interface SeriesProgress {
  /**
   * The `eventAt` from which no record has arrived yet; `null` before the first record of a series that starts over.
   */
  next(): Instant | null
  /** Whether exactly this record came before. With other values it is not: the store keeps revisions apart. */
  isKnown(record: SourceRecord): boolean
  /** What the grid still has before a record that is about to be taken; `null` without a hole, or without a grid. */
  holeBefore(record: SourceRecord): Stretch | null
  take(record: SourceRecord): void
}

/**
 * @param stepMs the grid of a series that has one: a record each step
 * @param next where it continues; `null` for a series that starts with the first record to arrive
 * @param knownBefore what is older is taken as known: by default nothing is
 * @param missing what is not known all the same
 */
export function createSeriesProgress(
  stepMs: number | null,
  next: Instant | null,
  knownBefore: Instant = Number.NEGATIVE_INFINITY,
  missing: readonly Stretch[] = [],
): SeriesProgress {
  const isMissing = (at: Instant) => missing.some(({ from, to }) => from <= at && at < to)
  const recent = new Map<Instant, string>()
  // A series that starts over begins with its first record, wherever that is.
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
