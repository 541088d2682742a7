import { type BoundedQueue, createBoundedQueue, wait } from '@crunch/local-processes'
import {
  connectModelRunner,
  type GrpcModelRunner,
  readModelCredentials,
} from '../../adapters/model-runner/grpc/index.ts'
import { answerLimitsOf } from '../../contract/resolved-contract.ts'
import { answerBytes } from '../../domain/answer-size.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import { createPipeline, type Pipeline } from '../../pipeline.ts'
import type { Log } from '../../ports/log.ts'
import { type Lease, predictLease } from '../../ports/store-workers.ts'
import type { ClockRounds } from '../../predictor.ts'
import { type Beating, keepBeating } from '../health/keep-beating.ts'
import { orchestratorKeyOf } from '../orchestrator-key.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { createInFlight, type InFlight } from './in-flight.ts'
import { createStandByLog, leaseFields } from './stand-by.ts'
import type { WorkerContext, WorkerName } from './worker-context.ts'

/** Maximum number of instants in progress. A slow model delays others only when this many wait for it. */
export const inFlightLimit = 256
const leaseRetryMs = 500

/** Waits until this process is the only one that opens rounds; `null` when the signal aborts first. */
async function takePredictLease(context: WorkerContext): Promise<Lease | null> {
  const { store, log, signal } = context
  const logStandingBy = createStandByLog(context)
  while (!signal.aborted) {
    const lease = await store.takeLease(predictLease)
    if (lease !== null) {
      if (lease.takenFrom !== null) {
        const fields = { stage: 'prediction', ...leaseFields(lease.takenFrom) }
        log.warn('the previous predict worker did not exit cleanly; this one opens the rounds now', fields)
      }
      return lease
    }
    logStandingBy(await store.leaseState(predictLease))
    await wait(leaseRetryMs, signal)
  }
  return null
}

/**
 * Connects to the model orchestrator, and waits until its announced models are set up or have failed.
 * Rejects with SETTINGS_INVALID when the files of the security mode cannot be used.
 */
export async function connectModels(context: WorkerContext): Promise<GrpcModelRunner> {
  const { settings } = context
  const { MODEL_RUNNER_MAX_ANSWER_MEBIBYTES: mebibytes } = settings
  const limits = answerLimitsOf(context.contract)
  const runner = await connectModelRunner({
    host: settings.MODEL_RUNNER_NODE_HOST,
    port: settings.MODEL_RUNNER_NODE_PORT,
    crunchId: settings.CRUNCH_ID,
    baseClassName: settings.MODEL_BASE_CLASSNAME,
    credentials: readModelCredentials(settings),
    orchestratorKey: orchestratorKeyOf(context.settings, context.log, 'failure reports have less effect'),
    answerLimits: limits,
    maxOutputBytes: mebibytes === undefined ? answerBytes(limits) : mebibytes * 1024 * 1024,
    log: context.log,
  })
  await Promise.race([runner.settled(), aborted(context.signal)])
  return runner
}

/** What a process that opens rounds owns. */
interface Predicting {
  readonly lease: Lease
  readonly runner: GrpcModelRunner
  readonly beating: Beating
}

/** Calls `predict` in the only process that opens rounds, with its models set up; not at all when the signal aborts first. */
export async function asPredictor(
  context: WorkerContext,
  workers: readonly WorkerName[],
  predict: (own: Predicting) => Promise<void>,
): Promise<void> {
  const lease = await takePredictLease(context)
  if (lease === null) return
  const beating = keepBeating(context, workers)
  const runner = await connectModels(context)
  try {
    await predict({ lease, runner, beating })
  } finally {
    await runner.close()
    await beating.stop()
    await lease.release()
  }
}

/** Predicts on records stored by another process, until the signal aborts. */
export function runPredictWorker(context: WorkerContext): Promise<void> {
  return asPredictor(context, ['predict'], (own) => predictOnStored(context, own))
}

async function predictOnStored(context: WorkerContext, { lease, runner }: Predicting): Promise<void> {
  const inFlight = createInFlight(inFlightLimit)
  const queue = createBoundedQueue<readonly FeedRecord[]>(queueLimit, (batch) => batch.length)
  // Subscribe first, then read: a record stored in between is read into the window and ignored when it arrives again.
  const unsubscribe = await context.store.subscribeRecords((batch) => offerNewest(queue, batch, context.log))
  try {
    const pipeline = createPipeline(context.contract, context, pipelineOptions(context))
    const clockRounds = await pipeline.openPredictor(runner)
    context.ready('predict', { models: runner.models().length })
    const ended = Promise.race([aborted(context.signal), lost(lease)])
    await Promise.race([
      ended,
      acceptQueued(queue, inFlight, pipeline, context.signal),
      runClockRounds(context, clockRounds, inFlight),
    ])
    await inFlight.drain()
  } finally {
    await unsubscribe()
    queue.end()
  }
}

async function acceptQueued(
  queue: BoundedQueue<readonly FeedRecord[]>,
  inFlight: InFlight,
  pipeline: Pipeline,
  signal: AbortSignal,
): Promise<void> {
  for await (const batch of queue.read()) {
    if (signal.aborted) return
    await inFlight.add(() => pipeline.acceptStored(batch), batch.length)
  }
}

/** Rejects when the lease is lost, because another process may open rounds from then on. */
export async function lost(lease: Lease): Promise<never> {
  const reason = await lease.lost
  throw new CrunchError('STORE_UNAVAILABLE', `the lease on predicting was lost (${reason}): restarting`)
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Opens the rounds of `on: 'clock'` schedules at their grid instants, until the signal aborts. */
export async function runClockRounds(context: WorkerContext, rounds: ClockRounds, inFlight: InFlight): Promise<void> {
  const { clock, signal } = context
  let at = rounds.nextClockInstant(clock.now())
  while (at !== null && !signal.aborted) {
    const instant = at
    // A timer may fire a millisecond early.
    while (clock.now() < instant && !signal.aborted) await wait(instant - clock.now(), signal)
    if (!signal.aborted) await inFlight.add(() => rounds.predictAt(instant))
    at = rounds.nextClockInstant(instant)
  }
  await aborted(signal)
}

/** Limit of records that wait for models. The oldest are dropped, because predicting on them is no longer useful. */
const queueLimit = 10_000

function offerNewest(queue: BoundedQueue<readonly FeedRecord[]>, batch: readonly FeedRecord[], log: Log): void {
  let droppedCount = 0
  while (!queue.offer(batch)) droppedCount += queue.drop()?.length ?? 0
  if (droppedCount === 0) return
  const fields = { stage: 'prediction', droppedCount }
  log.warn('records arrived faster than models answer; the oldest were skipped', fields)
}
