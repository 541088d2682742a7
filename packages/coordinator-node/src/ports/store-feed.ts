import type { FeedRecord, FeedScope, FeedState, FeedStatus } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'

/** What a batch of records changed. Order within each list is that of the batch. */
export interface AppendedRecords {
  readonly inserted: readonly FeedRecord[]
  /** The same key with the same values, or with those of a revision that is kept already: a no-op. */
  readonly duplicateCount: number
  /** The same key with other values: stored separately and counted; the first record is kept. */
  readonly revisions: readonly FeedRecord[]
}

/** A position in a series: after the record with this `knownAt` and `eventAt`. */
export interface RecordCursor {
  readonly knownAt: Instant
  readonly eventAt: Instant
}

/** Which records are no longer needed. */
export interface PruneRequest {
  /** Only those with `knownAt < before`. The newest record of a series always stays. */
  readonly before: Instant
  /** Records of a series with an unresolved round stay from this long before the round was performed. */
  readonly keepMs: number
  readonly limit: number
}

/** What is known about the feeds. */
export interface FeedReads {
  /** In order of scope key. */
  feedStates(): Promise<readonly FeedState[]>
  /** The newest `limit` records of a scope with `eventAt <= eventThrough`, newest first. */
  newestRecords(scope: FeedScope, limit: number, eventThrough: Instant): Promise<readonly FeedRecord[]>
}

/** Records and the state of their series. */
export interface FeedStore extends FeedReads {
  /** Writes new records and moves the watermark of each scope in one transition. A watermark never goes back. */
  appendRecords(records: readonly FeedRecord[]): Promise<AppendedRecords>
  /**
   * Stores the same as `appendRecords`, several times as fast for thousands of records of one scope, and does not announce
   * them, because they are history. Returns the number of inserted records. If it rejects, some records may be written
   * without their revisions: repeat the call.
   */
  appendPast(records: readonly FeedRecord[]): Promise<number>
  /** The newest `limit` records of a scope with `knownAt <= knownThrough`, oldest first. */
  latestRecords(scope: FeedScope, limit: number, knownThrough: Instant): Promise<readonly FeedRecord[]>
  /** The oldest `limit` records of a scope after `after`, ordered by (knownAt, eventAt). */
  recordsBehind(scope: FeedScope, after: RecordCursor, limit: number): Promise<readonly FeedRecord[]>
  /** Creates the state row of a scope that has none yet, with status `down` and reason `no data yet`. */
  ensureFeeds(scopes: readonly FeedScope[], at: Instant): Promise<void>
  putFeedStatus(scope: FeedScope, status: FeedStatus, reason: string | null, at: Instant): Promise<void>
  /** The newest watermark of all scopes, which is the current time of a replay; `null` without records. */
  newestWatermark(): Promise<Instant | null>
  /**
   * Deletes up to `limit` records, the oldest first, with their revisions, and returns how many. The counts in the
   * states of the feeds do not change.
   */
  pruneRecords(request: PruneRequest): Promise<number>
}
