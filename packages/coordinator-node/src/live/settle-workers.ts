import { createPipeline } from '../pipeline.ts'
import { pipelineOptions } from './predict-worker.ts'
import { wait } from './wait.ts'
import type { WorkerContext } from './worker-context.ts'

/** How often a replay's results are looked after: its time runs faster than the clock on the wall. */
const replayIntervalMs = 100

/** Settles rounds and closes periods, until the signal aborts. */
export async function runScoreWorker(context: WorkerContext): Promise<void> {
  const pipeline = createPipeline(context.contract, context, pipelineOptions(context))
  context.ready('score')
  while (!context.signal.aborted) {
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
    await wait(intervalMs(context), context.signal)
  }
}

/** Closes checkpoints, until the signal aborts. */
export async function runCheckpointWorker(context: WorkerContext): Promise<void> {
  const { settings } = context
  const payees = {
    crunch: settings.CRUNCH_PUBKEY ?? null,
    computeProvider: settings.COMPUTE_PROVIDER_PUBKEY ?? null,
    dataProvider: settings.DATA_PROVIDER_PUBKEY ?? null,
  }
  const pipeline = createPipeline(context.contract, context, { ...pipelineOptions(context), payees })
  context.ready('checkpoint')
  while (!context.signal.aborted) {
    const closedCount = await pipeline.checkpoint()
    if (closedCount > 0) context.log.info('checkpoints were closed', { stage: 'checkpoint', closedCount })
    await wait(intervalMs(context), context.signal)
  }
}

function intervalMs({ settings }: WorkerContext): number {
  return settings.FEED_REPLAY_FILES === undefined ? settings.SCORE_INTERVAL_SECONDS * 1_000 : replayIntervalMs
}
