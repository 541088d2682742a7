import { wait } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { activeBackfillStatuses, type BackfillJob } from '../../domain/backfill-job.ts'
import { CrunchError } from '../../domain/errors.ts'
import { feedScopeKey } from '../../domain/feed-record.ts'
import type { WorkerContext } from '../workers/worker-context.ts'
import { backfillFrom } from './backfill.ts'

type RequestContext = Pick<WorkerContext, 'contract' | 'store' | 'sources' | 'log' | 'signal'>

const lookEveryMs = 2_000

/**
 * Runs the jobs that the API was asked for, oldest first and one at a time, until the signal aborts. Those that a crash left
 * `running` are continued at their cursor.
 */
export async function runRequestedBackfills(context: RequestContext): Promise<void> {
  const { log, signal } = context
  let isReported = false
  while (!signal.aborted) {
    try {
      const hasRun = await runNextBackfill(context)
      isReported = false
      if (hasRun) continue
    } catch (error) {
      if (!(error instanceof CrunchError)) throw error
      if (!isReported) log.warn('backfills cannot be run', { stage: 'feed', reason: error.message })
      isReported = true
    }
    await wait(lookEveryMs, signal)
  }
}

/** `false`: no job waits that another process does not run. A failure ends the job, not the worker. */
export async function runNextBackfill(context: RequestContext): Promise<boolean> {
  const { store } = context
  const jobs = await store.backfillJobs()
  const waiting = jobs.filter(({ runBy, status }) => runBy === 'node' && activeBackfillStatuses.includes(status))
  for (const job of waiting.toReversed()) if (await hasRun(job, context)) return true
  return false
}

async function hasRun(job: BackfillJob, context: RequestContext): Promise<boolean> {
  const { store, sources, log } = context
  const fields = { stage: 'feed', job: job.id, scope: feedScopeKey(job.scope) }
  try {
    const source = sources.get(job.scope.source)
    if (source === undefined) {
      throw new CrunchError('BAD_REQUEST', `the contract has no feed of the source ${job.scope.source} any more`)
    }
    const { status, recordCount } = await backfillFrom(source, job, { ...context, from: activeBackfillStatuses })
    log.info('backfill ended', { ...fields, status, recordCount })
  } catch (error) {
    const code = error instanceof CrunchError ? error.code : null
    if (code === 'LEASE_HELD') return false
    if (code === 'STORE_UNAVAILABLE') throw error
    // An error that is not expected has a stack; the feed that the process follows goes on.
    const stack = code === null && error instanceof Error ? (error.stack ?? null) : null
    log.error('backfill failed', { ...fields, reason: errorText(error), stack })
    await store.moveBackfillJob(job.id, { to: 'failed', error: errorText(error), at: Date.now() })
  }
  return true
}
