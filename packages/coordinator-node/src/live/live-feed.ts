import { type ContractFeed, resolveContract } from '../contract/resolved-contract.ts'
import { CrunchError } from '../domain/errors.ts'
import type { FeedRecord } from '../domain/feed-record.ts'
import { createPipeline } from '../pipeline.ts'
import type { FeedSource, SourceRecord } from '../ports/feed-source.ts'
import type { Predictor } from '../predictor.ts'
import { createFeedHealth, type FeedHealth } from './feed-health.ts'
import { followSource } from './follow/follow-source.ts'
import { defaultPatience, wallTiming } from './follow/timing.ts'
import { createInFlight } from './in-flight.ts'
import { loadSeries } from './load-series.ts'
import { inFlightLimit } from './predict-worker.ts'
import { pruneFeeds } from './prune-feeds.ts'
import { createRecordWriter, type RecordWriter } from './record-writer.ts'
import { wait } from './wait.ts'
import type { WorkerContext } from './worker-context.ts'

const minuteMs = 60_000

/** What the sources of one process share. */
interface LiveFeed {
  readonly context: WorkerContext
  readonly predictor: Predictor | undefined
  readonly writer: RecordWriter
  readonly health: FeedHealth
}

/** Streams the contract's live sources into the store, and, with a predictor, straight to the models. */
export async function runLiveFeed(context: WorkerContext, predictor?: Predictor): Promise<void> {
  const resolved = resolveContract(context.contract)
  const pipeline = createPipeline(context.contract, context)
  const scopes = resolved.feeds.map((feed) => feed.scope)
  await context.store.ensureFeeds(scopes, context.clock.now())
  const health = createFeedHealth(resolved, context, await context.store.feedStates())
  const feed = { context, predictor, writer: createRecordWriter(pipeline.ingest), health }
  const names = [...new Set(scopes.map((scope) => scope.source))]
  for (const name of names) requireSource(context, name)
  context.ready('feed-data', { sources: names.join(', ') })
  const checkMs = Math.max(1_000, Math.min(...resolved.feeds.map((one) => one.granularityMs)))
  await Promise.all([
    watchFeeds(context, health, checkMs),
    pruneFeeds(context),
    ...names.map((name) =>
      runSource(
        feed,
        requireSource(context, name),
        resolved.feeds.filter(({ scope }) => scope.source === name),
      ),
    ),
  ])
}

async function runSource(feed: LiveFeed, source: FeedSource, feeds: readonly ContractFeed[]): Promise<void> {
  const { context, health } = feed
  const { contract, store, settings, clock, log, signal } = context
  const scopes = feeds.map(({ scope }) => scope)
  // The first input wants its whole window, however little history the operator wants.
  const wantedMs = settings.FEED_BACKFILL_MINUTES * minuteMs
  const backfillMs = wantedMs === 0 ? 0 : Math.max(wantedMs, resolveContract(contract).inputWindowMs)
  const series = await loadSeries(feeds, store, backfillMs, clock.now())
  const inFlight = createInFlight(inFlightLimit)
  const batches = followSource({
    ...{ source, series, log, signal },
    timing: wallTiming,
    patience: defaultPatience,
    onInterrupted: (reason) => health.end(scopes, reason, clock.now()),
  })
  for await (const batch of batches) await inFlight.add(() => takeBatch(feed, batch))
  await inFlight.drain()
}

/** Models hear of a record while it is being stored: the database is not on their way. */
async function takeBatch(
  { context, predictor, writer, health }: LiveFeed,
  batch: readonly SourceRecord[],
): Promise<void> {
  const receivedAt = context.clock.now()
  const records: FeedRecord[] = batch.map((record) => ({ ...record, receivedAt }))
  const predicted = records.map((record) => predictor?.predict(record))
  await Promise.all([
    ...predicted,
    writer.write(records),
    ...records.map((record) => health.heard(record, record.knownAt, receivedAt)),
  ])
}

async function watchFeeds(context: WorkerContext, health: FeedHealth, checkMs: number): Promise<void> {
  while (!context.signal.aborted) {
    await wait(checkMs, context.signal)
    if (!context.signal.aborted) await health.check(await context.clock.refresh())
  }
}

function requireSource(context: WorkerContext, name: string): FeedSource {
  const source = context.sources.get(name)
  if (source !== undefined) return source
  throw new CrunchError('FEED_UNAVAILABLE', `feed-data was started without the source "${name}" of the contract`)
}
