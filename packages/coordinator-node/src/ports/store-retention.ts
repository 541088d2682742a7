import type { Instant } from '../domain/time.ts'

/** Which results may be deleted. */
export interface PruneResults {
  /** Only rounds that resolved, and periods that ended, before this instant. */
  readonly before: Instant
  /** Length of the longest window. Results within it, counted back from the end of the last closed period, are kept. */
  readonly windowMs: number
  /** Maximum number of rounds or periods per call. */
  readonly limit: number
}

/**
 * Deletes results, oldest first, and returns the number of rounds or periods. Results that are still needed are kept, even if they
 * are older: rounds without a result, everything in the longest window and in the open snapshot period, and everything since the
 * end of the last checkpoint or the start of the first one that waits for an acknowledgement. The last period, models, checkpoints
 * and the counts of schedules are never deleted.
 */
export interface RetentionStore {
  /** Rounds with their predictions and scores. */
  pruneRounds(request: PruneResults): Promise<number>
  /** Closed periods: their snapshots and leaderboards. */
  prunePeriods(request: PruneResults): Promise<number>
}
