import type { ContractFeed } from '../../contract/resolved-contract.ts'
import { type FeedScope, feedScopeKey } from '../../domain/feed-record.ts'
import { holesIn, type Stretch } from '../../domain/stretch.ts'
import { floorToGrid, type Instant } from '../../domain/time.ts'
import type { FeedStore } from '../../ports/store-feed.ts'
import { createFollowedSeries, type FollowedSeries } from '../follow/followed-series.ts'

/** Maximum number of records that are searched for gaps. */
const mostRecords = 50_000

/**
 * Where each series of a source continues: after its newest record, or as far back as history is wanted; with the gaps of
 * its stored records within that length.
 * @param backfillMs how far back a series without records begins; 0: with the first record to arrive
 */
export async function loadSeries(
  feeds: readonly ContractFeed[],
  store: Pick<FeedStore, 'feedStates' | 'latestRecords'>,
  backfillMs: number,
  now: Instant,
): Promise<readonly FollowedSeries[]> {
  const states = new Map((await store.feedStates()).map((state) => [feedScopeKey(state.scope), state]))
  const series: FollowedSeries[] = []
  for (const { scope, granularityMs } of feeds) {
    // Not the stored watermark: if a provider corrects values for a while, it has newer records that are not known yet.
    const newestAt = states.get(feedScopeKey(scope))?.newestEventAt ?? null
    const watermark = newestAt === null ? null : newestAt + (scope.kind === 'candle' ? granularityMs : 0)
    const startAt = floorToGrid(now - backfillMs, granularityMs)
    const holes = watermark === null ? [] : await storedHoles(store, scope, granularityMs, startAt, now)
    series.push(createFollowedSeries(scope, watermark, backfillMs === 0 ? null : startAt, holes))
  }
  return series
}

/** Gaps in the newest records of a candle series, not before `from` or its first record. */
async function storedHoles(
  store: Pick<FeedStore, 'latestRecords'>,
  scope: FeedScope,
  stepMs: number,
  from: Instant,
  now: Instant,
): Promise<Stretch[]> {
  if (scope.kind !== 'candle') return []
  const limit = Math.min(mostRecords, Math.ceil((now - from) / stepMs) + 1)
  const records = await store.latestRecords(scope, limit, Number.MAX_SAFE_INTEGER)
  const times = records.map((record) => record.eventAt).filter((at) => at >= from)
  const first = times.reduce((earliest, at) => Math.min(earliest, at), Number.POSITIVE_INFINITY)
  const last = times.reduce((latest, at) => Math.max(latest, at), Number.NEGATIVE_INFINITY)
  return times.length === 0 ? [] : holesIn({ from: first, to: last }, stepMs, times)
}
