import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { chooseSeries, type SeriesChoice } from '../backfill/choose-series.ts'
import { formatBackfill, formatJob, formatJobs, jobJson } from '../backfill/format-backfill.ts'
import { showProgress } from '../backfill/show-progress.ts'
import { CliError, ReportedFailure } from '../cli-error.ts'
import { type BackfillJob, newBackfillJob, retentionMs, runBackfillJob, type Store } from '../engine.ts'
import { type OpenedNode, withNodeStore } from '../node-store.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What to fetch. Missing parts of the series are taken from the contract. */
export interface BackfillOptions extends SeriesChoice {
  readonly from?: number
  readonly to?: number
  readonly target: string
  readonly directory?: string
  readonly json: boolean
}

const dayMs = 86_400_000

/** Fetches the history of one series. After Ctrl-C, it can be resumed. */
export async function backfill(options: BackfillOptions, terminal: Terminal): Promise<void> {
  const { from, to = Date.now(), target } = options
  if (from === undefined) throw wrongCall('--from is missing', 'add the time of the first event: --from 2026-01-01')
  if (from >= to) throw wrongCall('--from is not before --to', 'swap them, or omit --to to use the current time')
  if (target !== 'tables' && target !== 'parquet') {
    throw wrongCall(`there is no target ${JSON.stringify(target)}`, 'use --target tables or --target parquet')
  }
  if (target === 'tables' && options.directory !== undefined) {
    throw wrongCall('the tables have no directory', 'add --target parquet, or leave --directory out')
  }
  await withNodeStore(terminal, async (node) => {
    const scope = chooseSeries(node.contract, options)
    const keptMs = retentionMs(node.environment)
    if (target === 'tables' && from < Date.now() - keptMs) {
      terminal.err(
        `warning: a running node deletes records older than ${keptMs / dayMs} days: set FEED_RECORD_TTL_DAYS, or use --target parquet`,
      )
    }
    const directory =
      target === 'tables'
        ? null
        : options.directory === undefined
          ? join(node.workspace.nodeDirectory, 'data', 'backfill')
          : resolve(terminal.cwd, options.directory)
    const job = newBackfillJob({ id: randomUUID(), scope, from, to, target, directory }, Date.now())
    await node.store.addBackfillJob(job)
    await runToItsEnd(node, job, options.json, terminal)
  })
}

/** Resumes a job at its cursor. */
export function resumeBackfill(options: { readonly id: string; readonly json: boolean }, terminal: Terminal) {
  return withNodeStore(terminal, async (node) => {
    const job = await findJob(node.store, options.id)
    if (job.status === 'completed') {
      const fix = 'start another one with: crunch backfill --from TIME'
      throw new CliError({ place: `backfill ${job.id}`, cause: 'it is already completed', fix })
    }
    await runToItsEnd(node, job, options.json, terminal)
  })
}

/** Cancels a job, even if another process runs it. */
export function cancelBackfill(options: { readonly id: string }, terminal: Terminal): Promise<void> {
  return withNodeStore(terminal, async ({ store }) => {
    const job = await findJob(store, options.id)
    if (await store.moveBackfillJob(job.id, { to: 'cancelled', error: null, at: Date.now() })) {
      terminal.out(`Backfill ${job.id} is cancelled; its records stay.`)
      return
    }
    const { status } = await findJob(store, job.id)
    throw new CliError({
      place: `backfill ${job.id}`,
      cause: `it is ${status} already`,
      fix: 'nothing needs to be cancelled',
    })
  })
}

/** Lists all jobs, newest first. */
export function listBackfills(options: { readonly json: boolean }, terminal: Terminal): Promise<void> {
  return withNodeStore(terminal, async ({ store }) => {
    const jobs = await Promise.all(
      (await store.backfillJobs()).map(async (job) => ({ ...job, isInterrupted: await isInterrupted(store, job) })),
    )
    terminal.out(options.json ? JSON.stringify(jobs.map(jobJson)) : formatJobs(jobs))
  })
}

/** Whether the process that ran the job is gone. Then the lease of the job is free. */
async function isInterrupted(store: Store, { id, status }: BackfillJob): Promise<boolean> {
  if (status !== 'running') return false
  const lease = await store.takeLease(`backfill ${id}`)
  await lease?.release()
  return lease !== null
}

async function runToItsEnd(
  { contract, environment, store }: OpenedNode,
  job: BackfillJob,
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  terminal.err(`Backfill ${job.id}: ${formatJob(job)}`)
  const progress = showProgress(job, terminal)
  const ended = await runBackfillJob({
    job,
    contract,
    environment,
    store,
    onWarning: progress.interrupt,
    onProgress: progress.show,
    signal: terminal.signal,
  })
  progress.end()
  if (json) terminal.out(JSON.stringify(jobJson(ended)))
  else if (ended.status === 'completed') terminal.out(formatBackfill(ended))
  if (ended.status === 'completed') return
  const place = `backfill ${ended.id}`
  const fix = `continue with: crunch backfill resume ${ended.id}`
  if (ended.status === 'failed') throw new CliError({ place, cause: ended.error ?? 'it failed', fix })
  terminal.err(`Backfill ${ended.id} ${ended.status === 'cancelled' ? 'was cancelled' : 'is interrupted'}; ${fix}`)
  throw new ReportedFailure(`the backfill is ${ended.status}`)
}

async function findJob(store: Store, id: string): Promise<BackfillJob> {
  const found = (await store.backfillJobs()).filter((job) => job.id.startsWith(id))
  const [job, second] = found
  if (job !== undefined && second === undefined) return job
  const cause = job === undefined ? 'there is no such backfill' : `${found.length} backfills have this prefix`
  throw new CliError({ place: `backfill ${id}`, cause, fix: 'list all backfills with: crunch backfill list' })
}

function wrongCall(cause: string, fix: string): CliError {
  return new CliError({ place: 'crunch backfill', cause, fix })
}
