import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { activeBackfillStatuses, newBackfillJob } from '../../../domain/backfill-job.ts'
import { CrunchError } from '../../../domain/errors.ts'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { defineRoute } from '../../http/define-route.ts'
import { checkRange, idField, instantField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { BackfillRequests, ReportContext } from '../../report-context.ts'
import { findJob } from './backfill.ts'
import { jobFields, jobRow } from './backfill-schema.ts'

const shared = { method: 'post', tag: 'Backfill', tier: 'admin', errors: [404, 409] } as const
/** A client's clock may be ahead of the node's. */
const clockToleranceMs = 60_000
const instant = instantField.unwrap()

export const requestBackfill = defineRoute({
  ...shared,
  path: '/reports/backfill',
  summary: 'Asks the node for the past of a series, and answers with the job.',
  description: [
    "The feed-data worker runs these jobs one after the other, with the contract's sources, and resumes them after a restart.",
    'Answers 409 while a job of the same series is pending or running. For other sources use `crunch backfill`; this worker does not run its jobs.',
  ].join(' '),
  status: 201,
  body: z
    .strictObject({
      ...{ source: idField, subject: idField, kind: idField, granularity: idField },
      start: instant.meta({ description: 'The first event. UTC unless it has a zone.' }),
      end: instant.meta({ description: 'Behind the last event; not in the future.' }),
      target: z.enum(['parquet', 'tables']).default('parquet').meta({
        description:
          '`parquet`: files that `/data/backfill/index` lists. `tables`: the database, for a series of the contract.',
      }),
    })
    .meta({ id: 'BackfillRequest' }),
  answer: jobRow,
  example: {
    path: '/reports/backfill',
    body: {
      ...{ source: 'binance', subject: 'ETHUSDT', kind: 'candle', granularity: '1m' },
      ...{ start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' },
    },
  },
})

export const serveRequestBackfill = serveRoute(requestBackfill, (report) => async ({ body }) => {
  const { start, end, target, ...scope } = body
  const requests = requestsOf(report)
  const now = report.clock.now()
  checkRange(start, end - 1, 'start', 'must be before end')
  checkRange(end, now + clockToleranceMs, 'end', 'must not be in the future')
  requireKnown(scope, target, requests, report.contract.feeds)
  const directory = target === 'parquet' ? requests.directory : null
  const range = { from: start, to: end }
  const job = newBackfillJob({ id: randomUUID(), scope, ...range, target, directory, runBy: 'node' }, now)
  if (await requests.addBackfillJob(job)) return jobFields(job)
  throw new CrunchError('CONFLICT', await whyTaken(report, scope))
})

export const cancelBackfill = defineRoute({
  ...shared,
  path: '/reports/backfill/jobs/{job_id}/cancel',
  params: z.object({ job_id: idField }),
  summary: 'Cancels a job; what it has written stays.',
  description: 'A running job stops at its next page. A job of `crunch backfill` is cancelled as well.',
  answer: jobRow,
  example: { path: '/reports/backfill/jobs/job-1/cancel' },
})

export const serveCancelBackfill = serveRoute(cancelBackfill, (report) => async ({ params }) => {
  const { id } = await findJob(report.reads, params.job_id)
  const isMoved = await requestsOf(report).moveBackfillJob(id, {
    ...{ to: 'cancelled', error: null, at: report.clock.now() },
  })
  const job = await findJob(report.reads, id)
  // Asking twice is no mistake.
  if (isMoved || job.status === 'cancelled') return jobFields(job)
  throw new CrunchError('CONFLICT', `Backfill job ${id} is already ${job.status}: there is nothing to cancel.`)
})

/** A typing error is answered at once, not by a job that fails. */
function requireKnown(
  scope: FeedScope,
  target: 'parquet' | 'tables',
  { sources }: BackfillRequests,
  feeds: readonly string[],
): void {
  if (!sources.includes(scope.source)) {
    throw invalid('source', `must be a source of the contract (${sources.join(', ')}); for others use crunch backfill`)
  }
  if (target === 'tables' && !feeds.includes(feedScopeKey(scope))) {
    throw invalid('target', `must be parquet, since the tables hold only the contract's series: ${feeds.join(', ')}`)
  }
}

function invalid(property: string, message: string): z.ZodError {
  return new z.ZodRealError([{ code: 'custom', path: [property], message, input: undefined }])
}

async function whyTaken({ reads }: ReportContext, scope: FeedScope): Promise<string> {
  const job = (await reads.backfillJobs()).find(
    ({ runBy, status, scope: other }) =>
      runBy === 'node' && activeBackfillStatuses.includes(status) && feedScopeKey(other) === feedScopeKey(scope),
  )
  if (job === undefined) return 'Another backfill of this series has just ended: try again.'
  const fix = `wait for it, or cancel it with POST /reports/backfill/jobs/${job.id}/cancel`
  return `Backfill job ${job.id} is already ${job.status}: ${fix}.`
}

function requestsOf({ backfills }: ReportContext): BackfillRequests {
  if (backfills !== undefined) return backfills
  throw new CrunchError('NOT_FOUND', 'This node fetches no history, because it replays a recording.')
}
