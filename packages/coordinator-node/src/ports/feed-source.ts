import type { FeedRecord, FeedScope } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'

/** A record as a source hands it over: the node stamps `receivedAt` itself. */
export type SourceRecord = Omit<FeedRecord, 'receivedAt'>

export interface FeedDescription {
  readonly source: string
  readonly scopes: readonly FeedScope[]
}

/** Where records come from. Only final values come out of it, in order of `knownAt` within a scope. */
export interface FeedSource {
  describe(): Promise<FeedDescription>
  /**
   * Batches of records known after `from` a scope key (absent: from the beginning, or from now for a live source), until
   * `signal` aborts or the source ends. All records of one `knownAt` come in one batch, ordered by scope key.
   */
  stream(
    scopes: readonly FeedScope[],
    from: ReadonlyMap<string, Instant>,
    signal: AbortSignal,
  ): AsyncIterable<readonly SourceRecord[]>
  /** Records with `from <= eventAt < to`, in pages, oldest first. */
  history(scope: FeedScope, from: Instant, to: Instant, signal: AbortSignal): AsyncIterable<readonly SourceRecord[]>
}
