import { wait } from '@crunch/local-processes'
import { type ContractFeed, resolveContract } from '../../contract/resolved-contract.ts'
import { CrunchError } from '../../domain/errors.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import { formatInstant } from '../../domain/time.ts'
import { createPipeline, type Pipeline } from '../../pipeline.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import { runRequestedBackfills } from '../backfill/run-requested.ts'
import { withClockCheck } from '../check-clock.ts'
import { createClockWatch } from '../clock-watch.ts'
import { followSource } from '../follow/follow-source.ts'
import { defaultPatience, wallTiming } from '../follow/timing.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { clockToleranceMs } from '../settings.ts'
import { createInFlight } from '../workers/in-flight.ts'
import { inFlightLimit } from '../workers/predict-worker.ts'
import type { WorkerContext } from '../workers/worker-context.ts'
import { type FeedHealth, openFeedHealth } from './feed-health.ts'
import { loadSeries } from './load-series.ts'
import { pruneFeeds } from './prune-feeds.ts'

const minuteMs = 60_000
/** Records that count as one piece of work. History arrives in batches of a thousand; about four thousand are in flight at most. */
const recordsOfAPiece = 16
/** Longer than an answer or time-out of a provider takes; sources are not required to report an open connection. */
const longestFirstTryMs = 15_000

/** State shared by the sources of one process. */
interface SharedFeed {
  readonly context: WorkerContext
  readonly pipeline: Pipeline
  readonly health: FeedHealth
}

export interface LiveFeed {
  /** Accepts the records. With an open predictor, they reach the models too. */
  readonly pipeline: Pipeline
  /** Streams the contract's live sources into the pipeline, until the signal aborts. */
  run(): Promise<void>
}

export async function openLiveFeed(context: WorkerContext): Promise<LiveFeed> {
  const { contract, store, clock } = context
  const resolved = resolveContract(contract)
  await store.ensureFeeds(
    resolved.feeds.map((feed) => feed.scope),
    clock.now(),
  )
  const health = await openFeedHealth(resolved, context, clockToleranceMs(context.settings))
  const onStored = (records: readonly FeedRecord[]) => health.heard(records, clock.now())
  const pipeline = createPipeline(contract, { ...context, onStored }, pipelineOptions(context))
  return { pipeline, run: () => runSources({ context, pipeline, health }, resolved.feeds) }
}

async function runSources(feed: SharedFeed, feeds: readonly ContractFeed[]): Promise<void> {
  const { context, health } = feed
  const names = [...new Set(feeds.map(({ scope }) => scope.source))]
  for (const name of names) requireSource(context, name)
  const tried = readyWhenTried(context, names)
  await Promise.all([
    watchFeeds(context, health, feeds),
    pruneFeeds(context),
    runRequestedBackfills(context),
    wait(longestFirstTryMs, context.signal).then(() => names.forEach(tried)),
    ...names.map((name) =>
      runSource(
        feed,
        requireSource(context, name),
        feeds.filter(({ scope }) => scope.source === name),
        () => tried(name),
      ),
    ),
  ])
}

/**
 * A worker is ready once each of its sources has been tried, so that permanent errors appear before it is reported as running.
 */
function readyWhenTried({ ready }: WorkerContext, names: readonly string[]): (name: string) => void {
  const untried = new Set(names)
  return (name) => {
    if (untried.delete(name) && untried.size === 0) ready('feed-data', { sources: names.join(', ') })
  }
}

/** @param onTried called when a connection is open, or cannot be opened for now; more than once */
async function runSource(
  feed: SharedFeed,
  source: FeedSource,
  feeds: readonly ContractFeed[],
  onTried: () => void,
): Promise<void> {
  const { context, pipeline, health } = feed
  const { contract, store, settings, clock, log, signal } = context
  const scopes = feeds.map(({ scope }) => scope)
  // The first input needs its whole window, even if the operator wants less history.
  const wantedMs = settings.FEED_BACKFILL_MINUTES * minuteMs
  const backfillMs = wantedMs === 0 ? 0 : Math.max(wantedMs, resolveContract(contract).inputWindowMs)
  const series = await loadSeries(feeds, store, backfillMs, clock.now())
  const inFlight = createInFlight(inFlightLimit)
  const batches = followSource({
    ...{ series, log, signal },
    source: withClockCheck(source, {
      now: clock.now,
      toleranceMs: clockToleranceMs(settings),
      onAhead: (records, reason) => health.suspectClock(records, reason, clock.now()),
    }),
    timing: wallTiming,
    patience: defaultPatience,
    async onConnected() {
      onTried()
      await health.resume(scopes, clock.now())
    },
    async onInterrupted(reason) {
      onTried()
      await health.end(scopes, reason, clock.now())
    },
  })
  for await (const batch of batches) {
    const receivedAt = clock.now()
    const records = batch.map((record) => ({ ...record, receivedAt }))
    await inFlight.add(() => pipeline.accept(records), Math.ceil(batch.length / recordsOfAPiece))
  }
  await inFlight.drain()
}

/** Checks the feeds several times per granularity, and the machine's clock. */
async function watchFeeds(context: WorkerContext, health: FeedHealth, feeds: readonly ContractFeed[]): Promise<void> {
  const { clock, log, signal } = context
  const checkMs = Math.max(250, Math.min(5_000, ...feeds.map(({ granularityMs }) => granularityMs / 4)))
  const jumpOf = createClockWatch(clock.now(), performance.now())
  while (!signal.aborted) {
    await wait(checkMs, signal)
    if (signal.aborted) return
    const at = await clock.refresh()
    const jumpMs = jumpOf(at, performance.now())
    if (jumpMs !== null) {
      const reason = describeJump(jumpMs)
      log.warn(reason, { stage: 'feed', at: formatInstant(at) })
      await health.suspectClock(
        feeds.map(({ scope }) => scope),
        reason,
        at,
      )
    }
    await health.check(at)
  }
}

function describeJump(jumpMs: number): string {
  const seconds = `${Math.abs(jumpMs) / 1_000} s`
  if (jumpMs < 0) return `the clock of this node jumped back by ${seconds}`
  return `the clock of this node jumped ahead by ${seconds}: it was set, or the machine slept`
}

function requireSource(context: WorkerContext, name: string): FeedSource {
  const source = context.sources.get(name)
  if (source !== undefined) return source
  throw new CrunchError('FEED_UNAVAILABLE', `feed-data was started without the source "${name}" of the contract`)
}
