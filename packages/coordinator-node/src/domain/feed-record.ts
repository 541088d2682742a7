import type { JsonObject } from './json/json.ts'
import type { Instant } from './time.ts'

/** Identifies a series of records: one source, one subject, one kind of data, one granularity. */
export interface FeedScope {
  /** Name of the source, e.g. `binance`. */
  readonly source: string
  /** The subject as the source names it, e.g. `BTCUSDT`. */
  readonly subject: string
  /** `candle`, `tick`, or the source's own name for its data. */
  readonly kind: string
  /** A duration such as `1m`; for events without a grid, the time after which silence is suspicious. */
  readonly granularity: string
}

/** One final observation of a series. Immutable; its key is the scope and `eventAt`. */
export interface FeedRecord<Values = JsonObject> extends FeedScope {
  /** The provider's time: a candle's OPEN time. */
  readonly eventAt: Instant
  /** When the values became final: open + granularity for a candle, `eventAt` for a tick. */
  readonly knownAt: Instant
  /** When this node received it. */
  readonly receivedAt: Instant
  /** The values, in the units of the source; their shape is the `values` schema of the feed. */
  readonly values: Values
}

/** `stale`: silent. `frozen`: repeats itself. `suspect`: its values are implausible. `down`: not connected. */
export type FeedStatus = 'up' | 'stale' | 'frozen' | 'suspect' | 'down'

/** How far ingestion of one scope has come, and whether it can be trusted. */
export interface FeedState {
  readonly scope: FeedScope
  readonly recordCount: number
  readonly oldestEventAt: Instant | null
  readonly newestEventAt: Instant | null
  /** The watermark: the newest `knownAt` of the scope. */
  readonly watermarkAt: Instant | null
  readonly updatedAt: Instant
  /** Number of records that arrived again with other values; stored separately, never applied. */
  readonly revisionCount: number
  readonly status: FeedStatus
  readonly statusReason: string | null
  readonly statusSince: Instant
}

/** `binance:BTCUSDT:candle:1m` */
export function feedScopeKey(scope: FeedScope): string {
  return `${scope.source}:${scope.subject}:${scope.kind}:${scope.granularity}`
}

export function isSameScope(one: FeedScope, other: FeedScope): boolean {
  return (
    one.source === other.source &&
    one.subject === other.subject &&
    one.kind === other.kind &&
    one.granularity === other.granularity
  )
}
