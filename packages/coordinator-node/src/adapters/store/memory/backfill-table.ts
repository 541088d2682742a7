import { type BackfillJob, backfillStatusesBefore } from '../../../domain/backfill-job.ts'
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
  return {
    add(job) {
      if (jobs.has(job.id)) return false
      jobs.set(job.id, job)
      return true
    },
    move(id, { to, error, at }) {
      const job = jobs.get(id)
      if (job === undefined || !backfillStatusesBefore(to).includes(job.status)) return false
      jobs.set(id, { ...job, status: to, error, updatedAt: Math.max(job.updatedAt, at) })
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
