import { z } from 'zod'
import type { FeedRecord } from '../domain/feed-record.ts'
import { type Duration, durationMs, formatDuration } from '../domain/time.ts'
import type { FeedSourceFactory } from '../ports/feed-source.ts'
import type { GateOptions } from './gate-options.ts'
import type { NumericField } from './numeric-fields.ts'

/**
 * A data feed of a contract, as `candles()`, `ticks()` and `series()` return it: one series per subject. `Values` is the schema
 * of one record's values.
 */
export interface FeedDefinition<
  Subject extends string = string,
  Values extends z.ZodType = z.ZodType,
  Kind extends string = string,
> {
  /** Name of the source, e.g. `binance`. */
  readonly source: string
  /** Subjects as the source names them. */
  readonly subjects: readonly Subject[]
  /** `candle` records are known one granularity after they open; every other kind at their own time. */
  readonly kind: Kind
  /** Length of a candle; for events, the time after which silence is suspicious. */
  readonly granularity: Duration
  /** The schema of one record's values. */
  readonly values: Values
  /** When its series are distrusted. */
  readonly gate?: GateOptions
  /** The author's own source. Default: the engine's source with the name `source`. */
  readonly from?: FeedSourceFactory
}

/** The values of a price candle. */
export const candleValues = z.object({
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.number(),
})

/** The value of a single price. */
export const tickValues = z.object({ price: z.number() })

interface FeedOptions<Subject extends string, Values extends z.ZodType> {
  /** Name of the source, e.g. `binance`. */
  readonly source: string
  /** Subjects as the source names them. */
  readonly subjects: readonly Subject[]
  /** Length of a candle; for events, the time after which silence is suspicious. */
  readonly granularity: Duration
  /** When a series is distrusted: while it is, it opens and scores no rounds. Default: never. */
  readonly gate?: GateOptions<NumericField<z.output<Values>>>
  /** Your own source. Default: the engine's source with the name `source`. */
  readonly from?: FeedSourceFactory
}

/**
 * Price candles, `{ open, high, low, close, volume }`, in the units of the source; only closed ones become records. A record's
 * `eventAt` is when the candle opens, its `knownAt` when it closes. Never throws: the node checks the feed with its contract.
 * @example candles({ source: 'binance', subjects: ['BTCUSDT'], granularity: '1m' })
 */
export function candles<const Subject extends string>(
  options: FeedOptions<Subject, typeof candleValues>,
): FeedDefinition<Subject, typeof candleValues, 'candle'> {
  return { ...options, kind: 'candle', values: candleValues }
}

/**
 * Single prices, `{ price }`, in the units of the source. A price is known at its own time; `granularity` is the time after
 * which silence is suspicious.
 * @example ticks({ source: 'pyth', subjects: ['BTC'], granularity: '1s' })
 */
export function ticks<const Subject extends string>(
  options: FeedOptions<Subject, typeof tickValues>,
): FeedDefinition<Subject, typeof tickValues, 'tick'> {
  return { ...options, kind: 'tick', values: tickValues }
}

/**
 * Any other series: its kind and the zod schema of one record's values. A record that the schema rejects is refused.
 * @example series({ source: 'noaa', subjects: ['Seattle'], kind: 'daily', granularity: '1d', values: z.object({ celsius: z.number() }) })
 */
export function series<const Subject extends string, Values extends z.ZodType, const Kind extends string>(
  options: FeedOptions<Subject, NoInfer<Values>> & { readonly kind: Kind; readonly values: Values },
): FeedDefinition<Subject, Values, Kind> {
  return options
}

/**
 * Measures durations in bars of a feed: `bar(5)` is five granularities. Throws a `RangeError` if the granularity is not a
 * duration.
 * @example const bar = bars(market); bar(120)
 */
export function bars(feed: FeedDefinition): (count: number) => Duration {
  const granularityMs = durationMs(feed.granularity)
  return (count) => formatDuration(granularityMs * count)
}

/** A record of these feeds in a contract's functions. With several feeds, comparing its `kind` or `subject` narrows its values. */
export type RecordOf<Feed extends FeedDefinition> = Feed extends FeedDefinition
  ? FeedRecord<z.output<Feed['values']>> & { readonly kind: Feed['kind']; readonly subject: SubjectOf<Feed> }
  : never

export type SubjectOf<Feed extends FeedDefinition> = Feed['subjects'][number]
