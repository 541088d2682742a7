import type { FeedScope } from './feed-record.ts'
import type { Instant } from './time.ts'

export type BackfillStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'

/** The past of one series, to be fetched once: from a source into the tables, or into an archive of Parquet files. */
export interface BackfillJob {
  readonly id: string
  readonly scope: FeedScope
  /** `from <= eventAt < to`. */
  readonly from: Instant
  readonly to: Instant
  readonly target: 'tables' | 'parquet'
  /** The archive; `null` for the tables. */
  readonly directory: string | null
  /** Where it continues: every record before this instant is written. */
  readonly cursor: Instant
  /** Records of the pages up to the cursor, including those that were already stored. */
  readonly recordCount: number
  readonly pageCount: number
  readonly status: BackfillStatus
  /** Why it failed. */
  readonly error: string | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

const moves: Readonly<Record<BackfillStatus, readonly BackfillStatus[]>> = {
  pending: ['running', 'cancelled'],
  // Left by a process that died: the next holder of the job's lease continues it.
  running: ['running', 'pending', 'completed', 'failed', 'cancelled'],
  failed: ['running', 'cancelled'],
  cancelled: ['running'],
  completed: [],
}

/** The statuses from which a job may change to each status. */
export function backfillStatusesBefore(to: BackfillStatus): readonly BackfillStatus[] {
  return (Object.keys(moves) as BackfillStatus[]).filter((from) => moves[from].includes(to))
}

/** A new job, before its first page. */
export function newBackfillJob(
  job: Pick<BackfillJob, 'id' | 'scope' | 'from' | 'to' | 'target' | 'directory'>,
  at: Instant,
): BackfillJob {
  const progress = { cursor: job.from, recordCount: 0, pageCount: 0, status: 'pending', error: null } as const
  return { ...job, ...progress, createdAt: at, updatedAt: at }
}
