import { wait } from '@crunch/local-processes'
import { AuthorError } from '../../contract/author-code.ts'
import { createPipeline } from '../../pipeline.ts'
import { createSettlingGate } from '../health/check-clocks.ts'
import { keepBeating } from '../health/keep-beating.ts'
import { payeesOf } from '../payees.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { pruneResults } from './prune-results.ts'
import type { WorkerContext, WorkerName } from './worker-context.ts'

/** How often a replay is settled: its time passes faster than wall time. */
const replayIntervalMs = 100

/** Settles rounds and closes periods, until the signal aborts. */
export async function runScoreWorker(context: WorkerContext): Promise<void> {
  const pipeline = createPipeline(context.contract, context, pipelineOptions(context))
  context.ready('score')
  const pruning = pruneResults(context)
  const working = workOn(context, 'score', async () => {
    const startedAt = performance.now()
    const settled = await pipeline.settle()
    if (settled.resolvedCount + settled.voidCount + settled.closedPeriodCount > 0) {
      context.log.info('rounds were settled', {
        stage: 'score',
        resolvedCount: settled.resolvedCount,
        voidCount: settled.voidCount,
        waitingCount: settled.waitingCount,
        closedPeriodCount: settled.closedPeriodCount,
        durationMs: Math.round(performance.now() - startedAt),
      })
    }
  })
  await Promise.all([working, pruning])
}

/** Closes checkpoints, until the signal aborts. */
export async function runCheckpointWorker(context: WorkerContext): Promise<void> {
  const options = { ...pipelineOptions(context), payees: payeesOf(context.settings) }
  const pipeline = createPipeline(context.contract, context, options)
  context.ready('checkpoint')
  await workOn(context, 'checkpoint', async () => {
    const closedCount = await pipeline.checkpoint()
    if (closedCount > 0) context.log.info('checkpoints were closed', { stage: 'checkpoint', closedCount })
  })
}

/**
 * Repeats a pass over the work and reports each as done. An exception in contract code does not end the worker, because a
 * restart would not help and the other steps of the pass continue. Blocked rows stay unchanged, and the reason is an alarm.
 */
async function workOn(context: WorkerContext, worker: WorkerName, pass: () => Promise<void>): Promise<void> {
  const beating = keepBeating(context, [worker])
  const mayWork = createSettlingGate(context)
  let logged: string | null = null
  try {
    while (!context.signal.aborted) {
      if (await mayWork()) {
        const problem = await failureOf(pass)
        if (problem === null) beating.worked()
        else await beating.failed(problem)
        if (problem !== null && problem !== logged) {
          context.log.error('the code of the contract failed', { stage: worker, reason: problem })
        }
        logged = problem
      }
      await wait(workIntervalMs(context), context.signal)
    }
  } finally {
    await beating.stop()
  }
}

/** The error of contract code in a pass, or `null`. Other errors are thrown. */
async function failureOf(pass: () => Promise<void>): Promise<string | null> {
  try {
    await pass()
    return null
  } catch (error) {
    if (error instanceof AuthorError) return error.message
    throw error
  }
}

/** How often the score and checkpoint workers look for work. */
export function workIntervalMs({ settings }: Pick<WorkerContext, 'settings'>): number {
  return settings.FEED_REPLAY_FILES === undefined ? settings.SCORE_INTERVAL_SECONDS * 1_000 : replayIntervalMs
}
