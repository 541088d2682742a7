import { resolveContract } from '../contract/resolved-contract.ts'
import { CrunchError } from '../domain/errors.ts'
import { type FeedRecord, type FeedScope, feedScopeKey } from '../domain/feed-record.ts'
import type { Pipeline } from '../pipeline.ts'
import { createPipeline } from '../pipeline.ts'
import type { Predictor } from '../predictor.ts'
import { createFeedHealth, type FeedHealth } from './feed-health.ts'
import { createInFlight } from './in-flight.ts'
import { inFlightLimit } from './predict-worker.ts'
import { wait } from './wait.ts'
import type { WorkerContext } from './worker-context.ts'

/** Streams the contract's live sources into the store, and, with a predictor, straight to the models. */
export async function runLiveFeed(context: WorkerContext, predictor?: Predictor): Promise<void> {
  const resolved = resolveContract(context.contract)
  const pipeline = createPipeline(context.contract, context)
  const scopes = resolved.feeds.map((feed) => feed.scope)
  await context.store.ensureFeeds(scopes, context.clock.now())
  const health = createFeedHealth(resolved, context, await context.store.feedStates())
  const names = [...new Set(scopes.map((scope) => scope.source))]
  for (const name of names) requireSource(context, name)
  context.ready('feed-data', { sources: names.join(', ') })
  const checkMs = Math.max(1_000, Math.min(...resolved.feeds.map((feed) => feed.granularityMs)))
  await Promise.all([
    watchFeeds(context, health, checkMs),
    ...names.map((name) =>
      streamSource(
        context,
        pipeline,
        predictor,
        health,
        name,
        scopes.filter((scope) => scope.source === name),
      ),
    ),
  ])
}

async function streamSource(
  context: WorkerContext,
  pipeline: Pipeline,
  predictor: Predictor | undefined,
  health: FeedHealth,
  name: string,
  scopes: readonly FeedScope[],
): Promise<void> {
  const { store, signal } = context
  const watermarks = new Map(
    (await store.feedStates()).flatMap((state) =>
      state.watermarkAt === null ? [] : [[feedScopeKey(state.scope), state.watermarkAt] as const],
    ),
  )
  const inFlight = createInFlight(inFlightLimit)
  let stored: Promise<unknown> = Promise.resolve()
  for await (const batch of requireSource(context, name).stream(scopes, watermarks, signal)) {
    const receivedAt = context.clock.now()
    const records: FeedRecord[] = batch.map((record) => ({ ...record, receivedAt }))
    // Models hear of a record while it is being stored: the database is not on their way.
    await inFlight.add(() => {
      const predicted = records.map((record) => predictor?.predict(record))
      // One after the other: the watermark never passes a record that is not stored yet.
      stored = stored.then(() => pipeline.ingest(records))
      return Promise.all([
        ...predicted,
        stored,
        ...records.map((record) => health.heard(record, record.knownAt, receivedAt)),
      ])
    })
    if (signal.aborted) break
  }
  await inFlight.drain()
  if (!signal.aborted) await health.end(scopes, 'the source ended its stream', context.clock.now())
}

async function watchFeeds(context: WorkerContext, health: FeedHealth, checkMs: number): Promise<void> {
  while (!context.signal.aborted) {
    await wait(checkMs, context.signal)
    if (!context.signal.aborted) await health.check(await context.clock.refresh())
  }
}

function requireSource(context: WorkerContext, name: string) {
  const source = context.sources.get(name)
  if (source !== undefined) return source
  throw new CrunchError('FEED_UNAVAILABLE', `feed-data was started without the source "${name}" of the contract`)
}
