import type { FeedScope } from '../../domain/feed-record.ts'
import { holesIn, type Stretch } from '../../domain/stretch.ts'
import { durationMs, formatInstant, type Instant } from '../../domain/time.ts'
import type { SourceRecord } from '../../ports/feed-source.ts'
import { createSeriesProgress, type SeriesProgress } from './series-progress.ts'

/** A gap that history has not filled yet. */
export interface OpenHole extends Stretch {
  triedCount: number
  nextTryAt: number
}

/** The state of one followed series. */
export interface FollowedSeries {
  readonly scope: FeedScope
  /** Grid step of candles; other kinds have no grid. */
  readonly stepMs: number | null
  readonly progress: SeriesProgress
  holes: OpenHole[]
  /** Whether the records before the next new one must still be fetched from history. */
  isBehind: boolean
  /** When the stream last delivered a record or became the only source of records; `null` while history fills the series. */
  heardAt: number | null
  /** Number of history checks since then. */
  quietLooks: number
}

/** Maximum number of gaps; with more, the series is mostly missing. */
const mostHoles = 1_000

/**
 * @param watermark end of the newest stored candle, or time of the newest stored record; `null` for a series without records
 * @param startAt where a series without records begins; `null`: with the first record to arrive
 * @param holes gaps in the stored records
 */
export function createFollowedSeries(
  scope: FeedScope,
  watermark: Instant | null,
  startAt: Instant | null,
  holes: readonly Stretch[] = [],
): FollowedSeries {
  const stepMs = scope.kind === 'candle' ? durationMs(scope.granularity) : null
  // A candle becomes known when the next one opens.
  const next = watermark === null ? startAt : stepMs === null ? watermark + 1 : watermark
  // On a grid, gaps are known too. Without one, only the store knows whether an old record is new.
  const knownBefore = watermark === null || stepMs === null ? undefined : watermark
  const series: FollowedSeries = {
    scope,
    stepMs,
    progress: createSeriesProgress(stepMs, next, knownBefore, holes),
    holes: [],
    isBehind: false,
    heardAt: null,
    quietLooks: 0,
  }
  for (const hole of holes) addHole(series, hole, 0)
  return series
}

/** Returns the oldest gap if there is no room for it any more. */
export function addHole(series: FollowedSeries, { from, to }: Stretch, nextTryAt: number): Stretch | undefined {
  if (from >= to) return undefined
  series.holes = [...series.holes, { from, to, triedCount: 0, nextTryAt }]
  return series.holes.length > mostHoles ? series.holes.shift() : undefined
}

/** The rest of a gap after history has returned these records. */
export function remainingHoles(series: FollowedSeries, hole: Stretch, records: readonly SourceRecord[]): Stretch[] {
  if (series.stepMs === null) return []
  return holesIn(
    hole,
    series.stepMs,
    records.map((record) => record.eventAt),
  )
}

export function describeStretch({ from, to }: Stretch): { readonly from: string; readonly to: string } {
  return { from: formatInstant(from), to: formatInstant(to) }
}
