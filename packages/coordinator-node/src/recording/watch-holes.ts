import { type FeedScope, feedScopeKey } from '../domain/feed-record.ts'
import { missingCount, type Stretch } from '../domain/stretch.ts'
import { durationMs, formatInstant, type Instant } from '../domain/time.ts'
import type { Log } from '../ports/log.ts'

/** Missing records of a candle series: cells of its grid between two records that arrived. */
export interface SeriesHole extends Stretch {
  readonly scope: FeedScope
  readonly missingCount: number
}

/** Detects gaps in records that arrive in order. */
export interface HoleWatch {
  note(record: FeedScope & { readonly eventAt: Instant }): void
  /** The first gaps, up to a thousand. */
  holes(): readonly SeriesHole[]
  /** Number of missing records in all gaps. */
  missingCount(): number
}

const keptHoles = 1_000

/** Warns once about each gap. Only candles have a grid; a late record does not close a reported gap. */
export function createHoleWatch(log: Log): HoleWatch {
  const newest = new Map<string, Instant>()
  const holes: SeriesHole[] = []
  let totalMissing = 0
  return {
    note(record) {
      if (record.kind !== 'candle') return
      const key = feedScopeKey(record)
      const stepMs = durationMs(record.granularity)
      const last = newest.get(key)
      if (last !== undefined && record.eventAt <= last) return
      newest.set(key, record.eventAt)
      if (last === undefined || record.eventAt <= last + stepMs) return
      const { source, subject, kind, granularity } = record
      const stretch = { from: last + stepMs, to: record.eventAt }
      const hole = {
        ...stretch,
        scope: { source, subject, kind, granularity },
        missingCount: missingCount(stretch, stepMs),
      }
      totalMissing += hole.missingCount
      if (holes.length < keptHoles) holes.push(hole)
      log.warn('records are missing', {
        stage: 'feed',
        scope: key,
        from: formatInstant(hole.from),
        to: formatInstant(hole.to),
        missingCount: hole.missingCount,
      })
    },
    holes: () => holes,
    missingCount: () => totalMissing,
  }
}
