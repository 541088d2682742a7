import type { Duration } from '../../../domain/time.ts'

/** How a provider writes times: ISO 8601 (UTC unless a zone is given), or seconds or milliseconds since 1970. */
export type JsonTimeFormat = 'iso' | 's' | 'ms'

export interface PollJsonOptions {
  /** The name of the source; the same as the feed's. */
  readonly source: string
  /** The kind of its records, the same as the feed's; `tick` unless given. `candle` times are when the candle opens. */
  readonly kind?: string
  /** Subjects that there are; any, unless given. */
  readonly subjects?: readonly string[]
  /**
   * Where to ask. `{subject}` becomes the feed's subject, `{from}` and `{to}` the range that is wanted, and `{env:NAME}` an
   * environment variable, which belongs into the query: messages show the rest of an address.
   */
  readonly url: string
  /** Sent along; `{env:NAME}` as in `url`, such as `{ authorization: 'Bearer {env:WEATHER_KEY}' }`. */
  readonly headers?: Readonly<Record<string, string>>
  /** How often to ask. */
  readonly every: Duration
  /**
   * JSONPath (RFC 9535) of the rows, such as `$.data[*]`; `time` and `values` then name one value in a row. Without it, they
   * select columns of the whole answer, such as `$.hourly.time[*]`, and the nth time belongs to the nth of each value.
   */
  readonly rows?: string
  readonly time: string
  /**
   * The values of a record: name and path. A row in which one is missing or null is no record, until it is there; the stream
   * takes it then if it has given no later one, and the past always has it.
   */
  readonly values: Readonly<Record<string, string>>
  /** Of `time`; `iso` unless given. */
  readonly timeFormat?: JsonTimeFormat
  /** Of `{from}` and `{to}`; as `timeFormat` unless given. `date` is `2026-03-01`, both ends included. */
  readonly rangeFormat?: JsonTimeFormat | 'date'
  /** How long the provider may still correct a row: so long after its time it is final and becomes a record, not earlier. */
  readonly settleAfter?: Duration
  /** How many rows, in granularities of the feed, one request with `{from}` and `{to}` asks for; 1,000 unless given. */
  readonly rowsPerRequest?: number
  /** Whether each answer holds the past, without being asked for a range. With `{from}` and `{to}` there is a past anyway. */
  readonly holdsPast?: boolean
}
