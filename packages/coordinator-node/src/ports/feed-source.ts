import { CrunchError } from '../domain/errors.ts'
import type { FeedRecord, FeedScope } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'
import type { Log } from './log.ts'

/** A record as a source hands it over: the node stamps `receivedAt` itself. */
export type SourceRecord = Omit<FeedRecord, 'receivedAt'>

/** Series that a source offers: each subject, of one kind, at each granularity. */
export interface FeedOffer {
  /** The name by which contracts ask for it. */
  readonly source: string
  /** `any`: the provider cannot list them, and refuses an unknown one only when it is asked for its records. */
  readonly subjects: readonly string[] | 'any'
  readonly kind: string
  /** `any`: the source takes whatever duration it is asked for. */
  readonly granularities: readonly string[] | 'any'
}

/**
 * Where records come from: one provider, or recorded files. Only final values come out of it, in order of `knownAt` within a
 * scope. A source is simple: it connects once and says how that ended. Connecting again, waiting, filling what was missed in
 * between from `history`, and telling everyone is the work of whoever follows it.
 *
 * What is broken for now (the network, a limit of the provider, a restart of theirs) rejects with {@link FeedInterrupted};
 * what only a person can mend (an unknown subject, a refused key, a forbidden region) with a `CrunchError` FEED_UNAVAILABLE
 * that says how.
 */
export interface FeedSource {
  /** What there is to ask for; may ask the provider. */
  describe(signal: AbortSignal): Promise<readonly FeedOffer[]>
  /**
   * Batches of new records, from the moment at which the connection stands until it ends. A source that can begin earlier
   * begins behind `from` of each scope key. It may hold a bounded number of records for a slow reader; beyond, it rejects with
   * FeedInterrupted instead of dropping any.
   * Returns when `signal` aborts or when the provider ends the stream in an orderly way.
   * @param onOpen called once when the connection stands: whatever becomes known from then on comes out of the stream
   */
  stream(
    scopes: readonly FeedScope[],
    from: ReadonlyMap<string, Instant>,
    signal: AbortSignal,
    onOpen?: () => void,
  ): AsyncIterable<readonly SourceRecord[]>
  /**
   * Records with `from <= eventAt < to`, in pages, oldest first; only what was final when it was asked. Absent when the
   * provider keeps no history.
   */
  readonly history?: (
    scope: FeedScope,
    from: Instant,
    to: Instant,
    signal: AbortSignal,
  ) => AsyncIterable<readonly SourceRecord[]>
}

/** What a source is made with where a node runs. */
export interface FeedSourceContext {
  /** The process environment: where keys of providers are found. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
}

/** Makes a source; only called where it is streamed from. Throws a `CrunchError` SETTINGS_INVALID when a key is missing. */
export type FeedSourceFactory = (context: FeedSourceContext) => FeedSource

/** A source that may be asked for its past. */
export type FeedSourceWithHistory = FeedSource & { readonly history: NonNullable<FeedSource['history']> }

/** Whether a source says by this error that it cannot go on; anything else is another part's, or a broken program. */
export function isSourceError(error: unknown): error is CrunchError {
  return error instanceof CrunchError && (error.code === 'FEED_INTERRUPTED' || error.code === 'FEED_UNAVAILABLE')
}

/** The way to a provider is broken for now: asking again helps, though not before `retryAfterMs` where the provider said so. */
export class FeedInterrupted extends CrunchError {
  readonly retryAfterMs: number | null

  constructor(message: string, options: { readonly retryAfterMs?: number; readonly cause?: unknown } = {}) {
    super('FEED_INTERRUPTED', message, { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}
