import type { FeedScope } from '../../domain/feed-record.ts'
import { holesIn, type Stretch } from '../../domain/stretch.ts'
import { durationMs, formatInstant, type Instant } from '../../domain/time.ts'
import type { SourceRecord } from '../../ports/feed-source.ts'
import { createSeriesProgress, type SeriesProgress } from './series-progress.ts'

/** A hole that history did not fill yet. */
export interface OpenHole extends Stretch {
  triedCount: number
  nextTryAt: number
}

/** One series of a source while it is followed. */
export interface FollowedSeries {
  readonly scope: FeedScope
  /** The grid of candles; other kinds come when they come. */
  readonly stepMs: number | null
  readonly progress: SeriesProgress
  holes: OpenHole[]
  /** Whether the records before the next new one must still be fetched from history. */
  isBehind: boolean
  /** When the stream last brought something, or began to be all that there is; `null` while history fills the series up. */
  heardAt: number | null
  /** How often history was asked since then whether there is something. */
  quietLooks: number
}

/** Holes are kept up to this many: more would be a series that is mostly not there. */
const mostHoles = 1_000

/**
 * @param watermark when the newest record that is stored ended, for a candle, or was; `null` for a series that has no records
 * @param startAt where a series without records begins; `null`: with whatever comes first
 * @param holes what the stored records leave out
 */
export function createFollowedSeries(
  scope: FeedScope,
  watermark: Instant | null,
  startAt: Instant | null,
  holes: readonly Stretch[] = [],
): FollowedSeries {
  const stepMs = scope.kind === 'candle' ? durationMs(scope.granularity) : null
  // A candle is known when the next one opens.
  const next = watermark === null ? startAt : stepMs === null ? watermark + 1 : watermark
  // On a grid, gaps are known too. Elsewhere an old record may be new, which only the store knows.
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

/** Gives the hole that there is no room for any more, the oldest one. */
export function addHole(series: FollowedSeries, { from, to }: Stretch, nextTryAt: number): Stretch | undefined {
  if (from >= to) return undefined
  series.holes = [...series.holes, { from, to, triedCount: 0, nextTryAt }]
  return series.holes.length > mostHoles ? series.holes.shift() : undefined
}

/** What is left of a hole after history has answered with these records. */
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
