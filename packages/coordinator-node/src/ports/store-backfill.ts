import type { BackfillJob, BackfillStatus } from '../domain/backfill-job.ts'
import type { Instant } from '../domain/time.ts'

export interface BackfillMove {
  readonly to: BackfillStatus
  /** The change is made only from one of these; absent: from all that allow it. */
  readonly from?: readonly BackfillStatus[]
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
  /**
   * `false`: there is a job with this id, or the node runs one of this series, or will, and so it would this one. Nothing was
   * changed then.
   */
  addBackfillJob(job: BackfillJob): Promise<boolean>
  /**
   * Changes the status of a job, and stores the reason of a failure. `false`: the job is unknown, or its status does not allow
   * the change. Rejects with CONFLICT when the node would run two jobs of one series.
   */
  moveBackfillJob(id: string, move: BackfillMove): Promise<boolean>
  /** Adds a page to a job that is `running`, after the page was written. `false`: it is not, and nothing was changed. */
  advanceBackfillJob(id: string, page: BackfillPage): Promise<boolean>
  /** Newest first, then in order of id. */
  backfillJobs(): Promise<readonly BackfillJob[]>
}
