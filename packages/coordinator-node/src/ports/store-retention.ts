import type { Instant } from '../domain/time.ts'

/** Which results may be deleted. */
export interface PruneResults {
  /** Only rounds that resolved, and periods that ended, before this instant. */
  readonly before: Instant
  /** Length of the longest window. What lies in it, as seen from the end of the last closed period, is kept. */
  readonly windowMs: number
  /** Rounds or periods of one call. */
  readonly limit: number
}

/**
 * Deletes results, the oldest first, and returns the number of rounds or periods. Whatever their age, results are kept
 * that something still needs: rounds without a result, everything in the longest window and in the open snapshot period,
 * everything since the end of the last checkpoint, and since the beginning of the first one that waits for an
 * acknowledgement. The last period, models, checkpoints and the counts of schedules always stay.
 */
export interface RetentionStore {
  /** Rounds with their predictions and scores. */
  pruneRounds(request: PruneResults): Promise<number>
  /** Closed periods: their snapshots and leaderboards. */
  prunePeriods(request: PruneResults): Promise<number>
}
