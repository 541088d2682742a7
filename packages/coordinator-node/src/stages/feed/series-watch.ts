import type { ContractFeed } from '../../contract/resolved-contract.ts'
import { type FeedRecord, type FeedScope, feedScopeKey } from '../../domain/feed-record.ts'
import { type Distrust, freshnessMs, gateRecordCount, isSilent, judgeSeries } from '../../domain/feed-trust.ts'
import type { Instant } from '../../domain/time.ts'
import type { FeedStore } from '../../ports/store-feed.ts'

/** The newest records of every series of a contract, in memory, so that its gates are judged without the database. */
export interface SeriesWatch {
  /** Records as they are stored; for a known key the first one is kept. Series outside the contract are ignored. */
  add(records: readonly FeedRecord[]): void
  /** Why the gate distrusts a series at an instant; `null` if it is trusted. */
  gateOf(scope: FeedScope, at: Instant): Distrust | null
  /** Why the series is distrusted at an instant, including silence; `null` if it is trusted or has no record yet. */
  judge(scope: FeedScope, at: Instant): Distrust | null
  newestKnownAt(scope: FeedScope): Instant | null
}

interface Tail {
  readonly feed: ContractFeed
  readonly recordCount: number
  /** Ordered by (knownAt, eventAt), like in the stores. */
  readonly records: FeedRecord[]
  /** Number of records at which expired ones are removed, because removing an array's head costs its length. */
  cutAt: number
}

const smallestCut = 128

export function createSeriesWatch(feeds: readonly ContractFeed[]): SeriesWatch {
  const tails = new Map<string, Tail>(
    feeds.map((feed) => {
      const recordCount = Math.max(1, feed.gate === null ? 1 : gateRecordCount(feed.gate))
      return [feedScopeKey(feed.scope), { feed, recordCount, records: [], cutAt: smallestCut }]
    }),
  )
  const newestOf = (scope: FeedScope) => tails.get(feedScopeKey(scope))?.records.at(-1)

  function gateOf(scope: FeedScope, at: Instant): Distrust | null {
    const tail = tails.get(feedScopeKey(scope))
    const gate = tail?.feed.gate
    if (tail === undefined || gate === undefined || gate === null) return null
    const other = gate.agree === null ? undefined : tails.get(feedScopeKey(gate.agree.peer.scope))
    return judgeSeries(gate, knownAt(tail, at, tail.recordCount), other === undefined ? null : lastKnown(other, at), at)
  }

  return {
    add(records) {
      for (const record of records) {
        const tail = tails.get(feedScopeKey(record))
        if (tail !== undefined) insert(tail, record)
      }
    },
    gateOf,
    judge(scope, at) {
      const newest = newestOf(scope)
      if (newest === undefined) return null
      const tail = tails.get(feedScopeKey(scope)) as Tail
      return silenceOf(newest.knownAt, tail.feed.granularityMs, at) ?? gateOf(scope, at)
    },
    newestKnownAt: (scope) => newestOf(scope)?.knownAt ?? null,
  }
}

/** The watch of a starting process, with the stored records. */
export async function loadSeriesWatch(
  feeds: readonly ContractFeed[],
  store: Pick<FeedStore, 'latestRecords'>,
): Promise<SeriesWatch> {
  const watch = createSeriesWatch(feeds)
  for (const { scope, gate } of feeds) {
    const recordCount = Math.max(1, gate === null ? 1 : gateRecordCount(gate))
    watch.add(await store.latestRecords(scope, recordCount, Number.MAX_SAFE_INTEGER))
  }
  return watch
}

function silenceOf(newestKnownAt: Instant, granularityMs: number, at: Instant): Distrust | null {
  if (!isSilent(newestKnownAt, granularityMs, at)) return null
  const reason = `no new record for ${freshnessMs(granularityMs) / 1_000} s`
  return { status: 'stale', cause: 'silence', reason }
}

function insert(tail: Tail, record: FeedRecord): void {
  const { records } = tail
  let index = records.length
  while (index > 0 && isBehind(records[index - 1] as FeedRecord, record)) index -= 1
  if (records[index - 1]?.eventAt === record.eventAt) return
  records.splice(index, 0, record)
  if (records.length >= tail.cutAt) cut(tail)
}

const isBehind = (left: FeedRecord, right: FeedRecord): boolean =>
  left.knownAt > right.knownAt || (left.knownAt === right.knownAt && left.eventAt > right.eventAt)

/** Keeps the records needed to judge an instant as old as the oldest allowed record. */
function cut(tail: Tail): void {
  const { feed, recordCount, records } = tail
  const earliestAt = (records.at(-1) as FeedRecord).knownAt - freshnessMs(feed.granularityMs)
  const needed = records.findIndex((record) => record.knownAt > earliestAt)
  records.splice(0, Math.max(0, needed - recordCount))
  tail.cutAt = Math.max(smallestCut, 2 * records.length)
}

function knownAt({ records }: Tail, at: Instant, count: number): readonly FeedRecord[] {
  let end = records.length
  while (end > 0 && (records[end - 1] as FeedRecord).knownAt > at) end -= 1
  return records.slice(Math.max(0, end - count), end)
}

const lastKnown = (tail: Tail, at: Instant): FeedRecord | null => knownAt(tail, at, 1)[0] ?? null
