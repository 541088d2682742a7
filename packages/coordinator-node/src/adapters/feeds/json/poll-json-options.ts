import type { EpochUnit } from '../../../domain/instant-text.ts'
import type { Duration } from '../../../domain/time.ts'

/**
 * Time format of a provider: dates (ISO 8601 or compact; UTC unless a zone is given), or seconds, milliseconds, microseconds
 * or nanoseconds since 1970.
 */
export type JsonTimeFormat = 'iso' | EpochUnit

/** Options of `pollJson`. Paths are JSONPath (RFC 9535). */
export interface PollJsonOptions {
  /** Name of the source, the same as the feed's. */
  readonly source: string
  /** Kind of the records, the same as the feed's. The time of a `candle` is its opening time. Default: `tick`. */
  readonly kind?: string
  /** The subjects that exist. Default: any. */
  readonly subjects?: readonly string[]
  /**
   * The address. `{subject}` is replaced by the feed's subject, `{from}` and `{to}` by the requested range, and `{env:NAME}` by an
   * environment variable. Put keys into the query string: messages show the rest of the URL.
   */
  readonly url: string
  /** Request headers; `{env:NAME}` as in `url`, e.g. `{ authorization: 'Bearer {env:WEATHER_KEY}' }`. */
  readonly headers?: Readonly<Record<string, string>>
  /** How often to poll. */
  readonly every: Duration
  /**
   * Path of the rows, e.g. `$.data[*]`; `time` and `values` then select one value in a row. Without it, they select columns of the
   * whole answer, e.g. `$.hourly.time[*]`, and the nth time belongs to the nth of each value.
   */
  readonly rows?: string
  /** Path of the time, in a row or, without `rows`, of the column of times. */
  readonly time: string
  /**
   * The values of a record: name and path. A row with a missing or null value is not a record until the value is there. The stream
   * then delivers it, unless it has delivered a later one; the history always contains it.
   */
  readonly values: Readonly<Record<string, string>>
  /** Format of `time`. Default: `iso`. */
  readonly timeFormat?: JsonTimeFormat
  /** Format of `{from}` and `{to}`. `date` is `2026-03-01`, both ends included. Default: as `timeFormat`. */
  readonly rangeFormat?: JsonTimeFormat | 'date'
  /** How long the provider may correct a row. The row becomes a record this long after its time. Default: at once. */
  readonly settleAfter?: Duration
  /** Time range of one request with `{from}` and `{to}`, as a multiple of the feed's granularity. Default: 1,000. */
  readonly rowsPerRequest?: number
  /** Whether every answer contains the whole history. Not needed with `{from}` and `{to}`. Default: `false`. */
  readonly holdsPast?: boolean
}
