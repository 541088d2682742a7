import { wait } from '@crunch/local-processes'
import { createVirtualClock } from '../../adapters/clock/clocks.ts'
import { expireMs, resolveContract } from '../../contract/resolved-contract.ts'
import { type FeedRecord, feedScopeKey } from '../../domain/feed-record.ts'
import type { Instant } from '../../domain/time.ts'
import { createPipeline } from '../../pipeline.ts'
import { contractRecording } from '../../recording/contract-recording.ts'
import { driveBatch } from '../../recording/drive-recording.ts'
import { createHoleWatch } from '../../recording/watch-holes.ts'
import { type FeedHealth, openFeedHealth } from '../feeds/feed-health.ts'
import { isOffered } from '../follow/offered-series.ts'
import type { Beating } from '../health/keep-beating.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { aborted, asPredictor, lost } from './predict-worker.ts'
import type { WorkerContext } from './worker-context.ts'

/** How often a replay checks whether the score worker keeps up. */
const unsettledCheckBatches = 200
const backPressureMs = 20

/**
 * Feed-data and predict workers of a replay in one process. Time follows the recording, so it advances only when the models
 * have answered. Resumes after the newest record in the store.
 */
export function runReplayWorker(context: WorkerContext): Promise<void> {
  return asPredictor(context, ['feed-data', 'predict'], async ({ lease, runner, beating }) => {
    const { contract, store, log } = context
    const clock = createVirtualClock((await store.newestWatermark()) ?? 0)
    const resolved = resolveContract(contract)
    await store.ensureFeeds(
      resolved.feeds.map((feed) => feed.scope),
      clock.now(),
    )
    const health = await openFeedHealth(resolved, { store, log })
    const onStored = (records: readonly FeedRecord[]) => health.heard(records, clock.now())
    const pipeline = createPipeline(contract, { store, clock, log, onStored }, pipelineOptions(context))
    const clockRounds = await pipeline.openPredictor(runner)
    context.ready('feed-data', { sources: 'recording' })
    context.ready('predict', { models: runner.models().length })
    await Promise.race([
      lost(lease),
      replay({ ...context, clock }, health, beating, (batch) => driveBatch(pipeline, clockRounds, clock, batch)),
    ])
    await aborted(context.signal)
  })
}

type Drive = (batch: Parameters<typeof driveBatch>[3]) => ReturnType<typeof driveBatch>

async function replay(context: WorkerContext, health: FeedHealth, beating: Beating, drive: Drive): Promise<void> {
  const { contract, settings, store, clock, log, signal } = context
  const resolved = resolveContract(contract)
  const source = contractRecording(contract, settings.FEED_REPLAY_FILES ?? [], log)
  const offers = await source.describe(signal)
  const scopes = resolved.feeds.map((feed) => feed.scope).filter((scope) => isOffered(offers, scope))
  const watermarks = new Map(
    (await store.feedStates()).flatMap((state) =>
      state.watermarkAt === null ? [] : [[feedScopeKey(state.scope), state.watermarkAt] as const],
    ),
  )
  const expiryMs = Math.max(...resolved.schedules.map((schedule) => expireMs(resolved, schedule)))
  const holeWatch = createHoleWatch(log)
  const pace = createPace(settings.FEED_REPLAY_SPEED, signal, beating.worked)
  let batchCount = 0
  for await (const batch of source.stream(scopes, watermarks, signal)) {
    await pace(batch[0]?.knownAt ?? clock.now())
    if (signal.aborted) return
    await drive(batch)
    beating.worked()
    for (const record of batch) holeWatch.note(record)
    // Time advances with the other series, which shows that a series has stopped.
    await health.check(clock.now())
    batchCount += 1
    if (batchCount % unsettledCheckBatches === 0) await waitForSettling(context, clock.now() - expiryMs)
  }
  if (signal.aborted) return
  await health.end(
    resolved.feeds.map((feed) => feed.scope),
    'the recording has ended',
    clock.now(),
  )
  log.info('the recording has ended', { event: 'replay-ended', stage: 'feed', batchCount })
}

/** Waits for the score worker to settle the rounds due before an instant; they have expired, so it always can. */
async function waitForSettling({ store, signal }: WorkerContext, before: Instant): Promise<void> {
  while (!signal.aborted && (await store.hasUnresolvedRounds(before))) await wait(backPressureMs, signal)
}

/** Interval of heartbeats while waiting, so that a long gap in the recording does not count as a standstill. */
const restMs = 2_000

/** Waits until a record is due at `speed` times the recorded pace. */
function createPace(
  speed: number | 'max',
  signal: AbortSignal,
  resting: () => void,
): (knownAt: Instant) => Promise<void> {
  if (speed === 'max') return async () => {}
  let start: { readonly knownAt: Instant; readonly wallMs: number } | undefined
  return async (knownAt) => {
    start ??= { knownAt, wallMs: performance.now() }
    const dueMs = start.wallMs + (knownAt - start.knownAt) / speed
    for (let leftMs = dueMs - performance.now(); leftMs > 0; leftMs = dueMs - performance.now()) {
      if (signal.aborted) return
      await wait(Math.min(leftMs, restMs), signal)
      resting()
    }
  }
}
