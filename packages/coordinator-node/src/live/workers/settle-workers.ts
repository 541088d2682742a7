import { createPipeline } from '../../pipeline.ts'
import { createSettlingGate } from '../health/check-clocks.ts'
import { keepBeating } from '../health/keep-beating.ts'
import { payeesOf } from '../payees.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { wait } from '../wait.ts'
import type { WorkerContext, WorkerName } from './worker-context.ts'

/** How often a replay's results are looked after: its time runs faster than the clock on the wall. */
const replayIntervalMs = 100

/** Settles rounds and closes periods, until the signal aborts. */
export async function runScoreWorker(context: WorkerContext): Promise<void> {
  const pipeline = createPipeline(context.contract, context, pipelineOptions(context))
  context.ready('score')
  await workOn(context, 'score', async () => {
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

/** Does a pass over the work again and again, and says each time that it was done. */
async function workOn(context: WorkerContext, worker: WorkerName, pass: () => Promise<void>): Promise<void> {
  const beating = keepBeating(context, [worker])
  const mayWork = createSettlingGate(context)
  try {
    while (!context.signal.aborted) {
      if (await mayWork()) {
        await pass()
        beating.worked()
      }
      await wait(workIntervalMs(context), context.signal)
    }
  } finally {
    await beating.stop()
  }
}

/** How often the score and the checkpoint worker look for work. */
export function workIntervalMs({ settings }: Pick<WorkerContext, 'settings'>): number {
  return settings.FEED_REPLAY_FILES === undefined ? settings.SCORE_INTERVAL_SECONDS * 1_000 : replayIntervalMs
}
