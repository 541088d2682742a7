import {
  activeBackfillStatuses,
  type BackfillJob,
  backfillStatusesBefore,
  seriesIsTaken,
} from '../../../domain/backfill-job.ts'
import { CrunchError } from '../../../domain/errors.ts'
import { feedScopeKey } from '../../../domain/feed-record.ts'
import type { BackfillMove, BackfillPage } from '../../../ports/store-backfill.ts'
import { compareText } from '../compare-text.ts'

export interface BackfillTable {
  add(job: BackfillJob): boolean
  move(id: string, move: BackfillMove): boolean
  advance(id: string, page: BackfillPage): boolean
  /** Newest first. */
  jobs(): readonly BackfillJob[]
}

export function createBackfillTable(): BackfillTable {
  const jobs = new Map<string, BackfillJob>()
  /** Whether the node has an unfinished job of the same series besides this one. */
  function isTaken(job: BackfillJob): boolean {
    const isActive = ({ runBy, status }: BackfillJob) => runBy === 'node' && activeBackfillStatuses.includes(status)
    const key = feedScopeKey(job.scope)
    return (
      isActive(job) &&
      [...jobs.values()].some((one) => one.id !== job.id && isActive(one) && feedScopeKey(one.scope) === key)
    )
  }

  return {
    add(job) {
      if (jobs.has(job.id) || isTaken(job)) return false
      jobs.set(job.id, job)
      return true
    },
    move(id, { to, from, error, at }) {
      const job = jobs.get(id)
      if (job === undefined || !backfillStatusesBefore(to, from).includes(job.status)) return false
      const moved = { ...job, status: to, error, updatedAt: Math.max(job.updatedAt, at) }
      if (isTaken(moved)) throw new CrunchError('CONFLICT', seriesIsTaken(id))
      jobs.set(id, moved)
      return true
    },
    advance(id, page) {
      const job = jobs.get(id)
      if (job?.status !== 'running') return false
      jobs.set(id, {
        ...job,
        cursor: Math.max(job.cursor, page.cursor),
        recordCount: job.recordCount + page.recordCount,
        pageCount: job.pageCount + page.pageCount,
        updatedAt: Math.max(job.updatedAt, page.at),
      })
      return true
    },
    jobs: () =>
      [...jobs.values()].sort((left, right) => right.createdAt - left.createdAt || compareText(left.id, right.id)),
  }
}
