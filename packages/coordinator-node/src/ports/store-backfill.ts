import type { BackfillJob, BackfillStatus } from '../domain/backfill-job.ts'
import type { Instant } from '../domain/time.ts'

export interface BackfillMove {
  readonly to: BackfillStatus
  /** Why it failed; `null` otherwise. */
  readonly error: string | null
  readonly at: Instant
}

/** What was fetched since the last one. */
export interface BackfillPage {
  /** Every record before it is written. It never goes back. */
  readonly cursor: Instant
  readonly recordCount: number
  readonly pageCount: number
  readonly at: Instant
}

/** Jobs that fetch the history of a series. */
export interface BackfillStore {
  /** `false`: there is a job with this id, and nothing was changed. */
  addBackfillJob(job: BackfillJob): Promise<boolean>
  /**
   * Changes the status of a job, and stores the reason of a failure. `false`: the job is unknown, or its status does not allow
   * the change.
   */
  moveBackfillJob(id: string, move: BackfillMove): Promise<boolean>
  /** Adds a page to a job that is `running`, after the page was written. `false`: it is not, and nothing was changed. */
  advanceBackfillJob(id: string, page: BackfillPage): Promise<boolean>
  /** Newest first, then in order of id. */
  backfillJobs(): Promise<readonly BackfillJob[]>
}
