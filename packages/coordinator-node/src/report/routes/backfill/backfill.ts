import { z } from 'zod'
import type { BackfillJob } from '../../../domain/backfill-job.ts'
import { CrunchError } from '../../../domain/errors.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContext } from '../../report-context.ts'
import { feedRow } from '../feeds/feed-schema.ts'
import { feedRows } from '../feeds/feeds.ts'
import { jobFields, jobRow } from './backfill-schema.ts'

const shared = { tag: 'Backfill', tier: 'admin' } as const
const maxJobs = 100

export const backfillFeeds = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/backfill/feeds',
  summary: 'The stored series, as in `/reports/feeds`.',
  extra: 'charts',
  answer: z.array(feedRow),
  example: { path: '/reports/backfill/feeds' },
})

export const serveBackfillFeeds = serveRoute(backfillFeeds, (report) => () => feedRows(report))

export const backfillJobs = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/backfill/jobs',
  summary: `The newest ${maxJobs} jobs that fetch the past of a series, newest first.`,
  query: z.object({ status: z.union([z.literal(''), jobRow.shape.status]).optional() }),
  answer: z.array(jobRow),
  example: { path: '/reports/backfill/jobs' },
})

export const serveBackfillJobs = serveRoute(backfillJobs, ({ reads }) => async ({ query: { status } }) => {
  const jobs = await reads.backfillJobs()
  return jobs
    .filter((job) => !status || job.status === status)
    .slice(0, maxJobs)
    .map(jobFields)
})

export const oneBackfillJob = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/backfill/jobs/{job_id}',
  params: z.object({ job_id: idField }),
  summary: 'One job and its progress.',
  errors: [404],
  answer: jobRow.extend({ progress_pct: z.number().min(0).max(100) }).meta({ id: 'BackfillProgress' }),
  example: { path: '/reports/backfill/jobs/job-1' },
})

export const serveOneBackfillJob = serveRoute(oneBackfillJob, ({ reads }) => async ({ params }) => {
  const job = await findJob(reads, params.job_id)
  return { ...jobFields(job), progress_pct: (100 * (job.cursor - job.from)) / (job.to - job.from) }
})

/** Rejects with NOT_FOUND, naming jobs that exist. */
export async function findJob(reads: ReportContext['reads'], jobId: string): Promise<BackfillJob> {
  const jobs = await reads.backfillJobs()
  const job = jobs.find(({ id }) => id === jobId)
  if (job !== undefined) return job
  const newest = jobs.slice(0, 3).map(({ id }) => id)
  const exist = newest.length === 0 ? 'there is none yet' : `the newest ones are ${newest.join(', ')}`
  throw new CrunchError('NOT_FOUND', `Backfill job not found: there is no ${jobId}; ${exist}.`)
}
