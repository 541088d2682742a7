import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { type FeedRecord, type FeedScope, type FeedStatus, feedScopeKey } from '../../domain/feed-record.ts'
import { type Distrust, freshnessMs } from '../../domain/feed-trust.ts'
import { describeLength, formatInstant, type Instant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import type { FeedStore } from '../../ports/store-feed.ts'
import { loadSeriesWatch } from '../../stages/feed/series-watch.ts'

/** Stores the status of every feed, with its reason, and logs each change once. */
export interface FeedHealth {
  /** Takes newly stored records. Pass whole batches, so that series of one instant are compared with each other. */
  heard(records: readonly FeedRecord[], at: Instant): Promise<void>
  /**
   * Checks every feed at an instant: one that is silent or fails its gate is no longer up; one that recovered is up again.
   */
  check(at: Instant): Promise<void>
  /** Marks feeds as suspect because of clock skew, until a record arrives after some time without skew. */
  suspectClock(scopes: readonly FeedScope[], reason: string, at: Instant): Promise<void>
  /** Marks feeds as ended, or updates the reason; they stay down until they are resumed or a record arrives. */
  end(scopes: readonly FeedScope[], reason: string, at: Instant): Promise<void>
  /** Feeds that were down are followed again. Their status is derived from their records; without records they stay down. */
  resume(scopes: readonly FeedScope[], at: Instant): Promise<void>
}

interface FeedEntry {
  readonly scope: FeedScope
  readonly freshForMs: number
  status: FeedStatus
  /** `undefined`: set by an earlier process, for an unknown reason. */
  cause: Distrust['cause'] | 'end' | null | undefined
  reason: string | null
  /** The clock skew, and the time until which no record disproves it. */
  clock: { readonly reason: string; readonly until: Instant } | null
}

const nothingYet = 'it is followed, but no record has arrived yet'

/**
 * Starts with the stored state of the feeds, from earlier processes.
 * @param toleranceMs how far a record may be ahead of this node's clock; irrelevant in a replay
 */
export async function openFeedHealth(
  resolved: ResolvedContract,
  ports: { readonly store: Pick<FeedStore, 'feedStates' | 'latestRecords' | 'putFeedStatus'>; readonly log: Log },
  toleranceMs = Number.POSITIVE_INFINITY,
): Promise<FeedHealth> {
  const watch = await loadSeriesWatch(resolved.feeds, ports.store)
  const entries = await loadEntries(resolved, ports.store)
  const write = createStatusWriter(ports)

  async function change(
    entry: FeedEntry,
    status: FeedStatus,
    cause: FeedEntry['cause'],
    reason: string | null,
    at: Instant,
  ) {
    // Numbers in the reasons of gates and silence change with each record and are not logged again; a new reason why a
    // feed cannot be followed is.
    const isTheSame = entry.status === status && entry.cause === cause && (cause !== 'end' || entry.reason === reason)
    if (isTheSame) return
    // The follower of the feed has already logged why it is down.
    const staysDown = entry.status === 'down' && status === 'down'
    Object.assign(entry, { status, cause, reason })
    await write(entry.scope, status, reason, at, !staysDown)
  }

  async function judge(entry: FeedEntry, at: Instant): Promise<void> {
    const newestKnownAt = watch.newestKnownAt(entry.scope) ?? at
    // This node's clock may be a little behind the provider's, but a received record is known.
    const asOf = Math.max(at, newestKnownAt)
    const clockReason = entry.clock?.reason ?? behindReason(newestKnownAt, at, toleranceMs)
    const distrust: Distrust | null =
      clockReason === null ? watch.judge(entry.scope, asOf) : { status: 'suspect', cause: 'clock', reason: clockReason }
    await change(entry, distrust?.status ?? 'up', distrust?.cause ?? null, distrust?.reason ?? null, at)
  }

  const entriesOf = (scopes: readonly FeedScope[]) =>
    [...new Set(scopes.map(feedScopeKey))].flatMap((key) => entries.get(key) ?? [])

  return {
    async heard(records, at) {
      watch.add(records)
      const heard = entriesOf(records)
      for (const entry of heard) if (entry.clock !== null && at >= entry.clock.until) entry.clock = null
      await Promise.all(heard.map((entry) => judge(entry, at)))
    },
    async check(at) {
      const live = [...entries.values()].filter(({ status }) => status !== 'down')
      await Promise.all(live.map((entry) => judge(entry, at)))
    },
    async suspectClock(scopes, reason, at) {
      const suspects = entriesOf(scopes)
      for (const entry of suspects) entry.clock = { reason, until: at + entry.freshForMs }
      await Promise.all(suspects.map((entry) => judge(entry, at)))
    },
    async end(scopes, reason, at) {
      const ended = entriesOf(scopes)
      for (const entry of ended) entry.clock = null
      await Promise.all(ended.map((entry) => change(entry, 'down', 'end', reason, at)))
    },
    async resume(scopes, at) {
      const resumed = entriesOf(scopes).filter(({ status }) => status === 'down')
      await Promise.all(
        resumed.map((entry) =>
          watch.newestKnownAt(entry.scope) === null ? change(entry, 'down', 'end', nothingYet, at) : judge(entry, at),
        ),
      )
    },
  }
}

/** A record from the future is not fresh: this node's clock was set back, or was ahead when the record was accepted. */
function behindReason(newestKnownAt: Instant, at: Instant, toleranceMs: number): string | null {
  if (newestKnownAt - at <= toleranceMs) return null
  const behind = describeLength(newestKnownAt - at)
  return `the clock of this node is ${behind} behind the newest record, of ${formatInstant(newestKnownAt)}: set it (NTP)`
}

async function loadEntries(
  resolved: ResolvedContract,
  store: Pick<FeedStore, 'feedStates'>,
): Promise<ReadonlyMap<string, FeedEntry>> {
  const stored = new Map((await store.feedStates()).map(({ scope, status }) => [feedScopeKey(scope), status]))
  return new Map(
    resolved.feeds.map(({ scope, granularityMs }) => {
      const key = feedScopeKey(scope)
      const status = stored.get(key) ?? 'down'
      const freshForMs = freshnessMs(granularityMs)
      return [key, { scope, freshForMs, status, cause: status === 'up' ? null : undefined, reason: null, clock: null }]
    }),
  )
}

/** Writes one after the other: on two connections, an older status could arrive last and stay. */
function createStatusWriter({ store, log }: { readonly store: Pick<FeedStore, 'putFeedStatus'>; readonly log: Log }) {
  let written: Promise<void> = Promise.resolve()
  return (scope: FeedScope, status: FeedStatus, reason: string | null, at: Instant, isNews: boolean): Promise<void> => {
    const fields = { stage: 'feed', scope: feedScopeKey(scope), at: formatInstant(at) }
    if (status === 'up') log.info('a feed is up', fields)
    else if (isNews) log.warn(`a feed is ${status}`, { ...fields, reason })
    written = written.then(() => store.putFeedStatus(scope, status, reason, at))
    return written
  }
}
