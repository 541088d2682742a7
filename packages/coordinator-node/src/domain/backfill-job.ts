import type { FeedScope } from './feed-record.ts'
import type { Instant } from './time.ts'

export type BackfillStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'

export type BackfillRunner = 'command' | 'node'

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
  /** `node`: its feed-data worker runs the job, and resumes it after a crash. `command`: only `crunch backfill` does. */
  readonly runBy: BackfillRunner
  /** Why it failed. */
  readonly error: string | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

const moves: Readonly<Record<BackfillStatus, readonly BackfillStatus[]>> = {
  pending: ['running', 'failed', 'cancelled'],
  // Left by a process that died: the next holder of the job's lease continues it.
  running: ['running', 'pending', 'completed', 'failed', 'cancelled'],
  failed: ['running', 'cancelled'],
  cancelled: ['running'],
  completed: [],
}

/** Those of a job that waits or runs. The node has at most one such job for each series. */
export const activeBackfillStatuses: readonly BackfillStatus[] = ['pending', 'running']

/** The statuses from which a job may change to a status; with `from`, only those among them. */
export function backfillStatusesBefore(
  to: BackfillStatus,
  from: readonly BackfillStatus[] = Object.keys(moves) as BackfillStatus[],
): readonly BackfillStatus[] {
  return from.filter((status) => moves[status].includes(to))
}

/** Why a job of the node cannot be continued while another one is active. */
export function seriesIsTaken(id: string): string {
  return `the backfill ${id} cannot run: the node has another one of the same series; wait for that one, or cancel it`
}

/** A new job, before its first page. */
export function newBackfillJob(
  job: Pick<BackfillJob, 'id' | 'scope' | 'from' | 'to' | 'target' | 'directory'> & Partial<Pick<BackfillJob, 'runBy'>>,
  at: Instant,
): BackfillJob {
  const progress = { cursor: job.from, recordCount: 0, pageCount: 0, status: 'pending', error: null } as const
  return { runBy: 'command', ...job, ...progress, createdAt: at, updatedAt: at }
}
