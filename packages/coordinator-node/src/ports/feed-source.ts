import { CrunchError } from '../domain/errors.ts'
import type { FeedRecord, FeedScope } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'
import type { Log } from './log.ts'

/** A record as a source delivers it, with times in UTC milliseconds since 1970. The node adds `receivedAt` itself. */
export type SourceRecord = Omit<FeedRecord, 'receivedAt'>

/** Series that a source offers: each subject, of one kind, at each granularity. */
export interface FeedOffer {
  /** The name that contracts use for it. */
  readonly source: string
  /** `any`: the provider cannot list them, and refuses an unknown one only when it is asked for its records. */
  readonly subjects: readonly string[] | 'any'
  /** Kind of its records: `candle`, `tick`, or another name. */
  readonly kind: string
  /** Durations such as `1m`. `any`: the source takes every duration. */
  readonly granularities: readonly string[] | 'any'
}

/**
 * A source of records: one provider, or recorded files. It delivers final values only, in order of `knownAt` within a scope. It
 * connects once and reports how the connection ended; the node reconnects, waits, and fills gaps from `history`.
 *
 * Temporary faults (the network, a rate limit, a restart of the provider) reject with {@link FeedInterrupted}. Faults that only a
 * person can fix (an unknown subject, a refused key, a forbidden region) reject with a `CrunchError` FEED_UNAVAILABLE that says how.
 */
export interface FeedSource {
  /** Lists the series that can be requested; may call the provider. */
  describe(signal: AbortSignal): Promise<readonly FeedOffer[]>
  /**
   * Batches of new records, from the moment the connection is open until it ends. A source that can begin earlier
   * begins after `from` of each scope key. It may buffer a bounded number of records for a slow reader; beyond that, it
   * rejects with FeedInterrupted instead of dropping any. Returns when `signal` aborts or when the provider ends the
   * stream in an orderly way.
   * @param onOpen called once when the connection is open: the stream contains everything that becomes known from then
   *   on
   */
  stream(
    scopes: readonly FeedScope[],
    from: ReadonlyMap<string, Instant>,
    signal: AbortSignal,
    onOpen?: () => void,
  ): AsyncIterable<readonly SourceRecord[]>
  /**
   * Records with `from <= eventAt < to`, in pages, oldest first; only those that were final at the time of the request. Absent
   * when the provider keeps no history.
   */
  readonly history?: (
    scope: FeedScope,
    from: Instant,
    to: Instant,
    signal: AbortSignal,
  ) => AsyncIterable<readonly SourceRecord[]>
}

/** What a node passes to the factory of a source. */
export interface FeedSourceContext {
  /** The process environment, which contains the keys of providers. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The log of the node. */
  readonly log: Log
}

/** Creates a source; called only in the process that reads from it. Throws a `CrunchError` SETTINGS_INVALID when a key is missing. */
export type FeedSourceFactory = (context: FeedSourceContext) => FeedSource

/** A source with a history. */
export type FeedSourceWithHistory = FeedSource & { readonly history: NonNullable<FeedSource['history']> }

/** Whether this error means that a source cannot continue; any other error comes from another part, or is a bug. */
export function isSourceError(error: unknown): error is CrunchError {
  return error instanceof CrunchError && (error.code === 'FEED_INTERRUPTED' || error.code === 'FEED_UNAVAILABLE')
}

/** A temporary fault of a provider or of the connection to it; the node tries again. Its `code` is FEED_INTERRUPTED. */
export class FeedInterrupted extends CrunchError {
  /** How long the provider asks to wait, in milliseconds; `null` if it does not say. */
  readonly retryAfterMs: number | null

  constructor(message: string, options: { readonly retryAfterMs?: number; readonly cause?: unknown } = {}) {
    super('FEED_INTERRUPTED', message, { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}
