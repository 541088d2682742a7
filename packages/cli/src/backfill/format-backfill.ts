import { type BackfillJob, type BackfillProgress, feedScopeKey } from '../engine.ts'
import { formatTable } from '../tables.ts'

export type ListedJob = BackfillJob & { readonly isInterrupted?: boolean }

/** Example: `binance:BTCUSDT:candle:1m, 2026-01-01 to 2026-02-01, into the tables`. */
export function formatJob({ scope, from, to, directory }: BackfillJob): string {
  return `${feedScopeKey(scope)}, ${time(from)} to ${time(to)}, into ${directory ?? 'the tables'}`
}

export function formatBackfill(job: BackfillJob): string {
  return `Backfill ${job.id} is completed: ${count(job.recordCount)} records in ${count(job.pageCount)} pages.`
}

/** The table of jobs with their progress. */
export function formatJobs(jobs: readonly ListedJob[]): string {
  if (jobs.length === 0) return 'There are no backfills. Start one with: crunch backfill --from TIME'
  const rows = jobs.map((job) => [
    job.id,
    feedScopeKey(job.scope),
    `${time(job.from)} to ${time(job.to)}`,
    job.directory ?? job.target,
    job.isInterrupted === true ? 'interrupted' : job.status,
    `${percent(job).toFixed(1)} %`,
    count(job.recordCount),
    job.error ?? '',
  ])
  return formatTable(['id', 'series', 'events', 'into', 'status', 'done', 'records', 'error'], rows)
}

/** The JSON form of a job. */
export function jobJson({ scope, isInterrupted, ...job }: ListedJob): Readonly<Record<string, unknown>> {
  return {
    ...job,
    ...scope,
    from: new Date(job.from).toISOString(),
    to: new Date(job.to).toISOString(),
    cursor: new Date(job.cursor).toISOString(),
    createdAt: new Date(job.createdAt).toISOString(),
    updatedAt: new Date(job.updatedAt).toISOString(),
    progressPercent: percent(job),
    ...(isInterrupted === undefined ? {} : { isInterrupted }),
  }
}

/** The part of its time range that a job has fetched, 0 to 100. */
export function percent({ from, to, cursor }: Pick<BackfillProgress, 'from' | 'to' | 'cursor'>): number {
  return Math.min(100, Math.max(0, ((cursor - from) / (to - from)) * 100))
}

/** `1,234,567` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function time(at: number): string {
  return new Date(at).toISOString().replace('T00:00:00.000Z', '')
}
