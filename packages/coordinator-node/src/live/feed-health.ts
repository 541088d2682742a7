import type { ResolvedContract } from '../contract/resolved-contract.ts'
import { freshnessMs } from '../contract/resolved-contract.ts'
import { type FeedScope, type FeedState, type FeedStatus, feedScopeKey } from '../domain/feed-record.ts'
import type { Instant } from '../domain/time.ts'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'

/** Keeps the status of every feed in the store, and logs it once a change. */
export interface FeedHealth {
  /** A record of the scope arrived. */
  heard(scope: FeedScope, knownAt: Instant, at: Instant): Promise<void>
  /** Marks what has been silent for three granularities as stale. */
  check(at: Instant): Promise<void>
  /** Says of feeds that they have ended. */
  end(scopes: readonly FeedScope[], reason: string, at: Instant): Promise<void>
}

/** @param known what the store holds of the feeds, from before this process */
export function createFeedHealth(
  resolved: ResolvedContract,
  ports: { readonly store: Pick<Store, 'putFeedStatus'>; readonly log: Log },
  known: readonly FeedState[] = [],
): FeedHealth {
  const states = new Map<string, { status: FeedStatus; newestKnownAt: Instant | null }>(
    known.map(({ scope, status, watermarkAt }) => [feedScopeKey(scope), { status, newestKnownAt: watermarkAt }]),
  )

  async function change(scope: FeedScope, status: FeedStatus, reason: string | null, at: Instant): Promise<void> {
    const key = feedScopeKey(scope)
    const known = states.get(key)
    if (known?.status === status) return
    states.set(key, { status, newestKnownAt: known?.newestKnownAt ?? null })
    await ports.store.putFeedStatus(scope, status, reason, at)
    if (status === 'up') ports.log.info('a feed is up', { stage: 'feed', scope: key })
    else ports.log.warn(`a feed is ${status}`, { stage: 'feed', scope: key, reason })
  }

  return {
    async heard(scope, knownAt, at) {
      const key = feedScopeKey(scope)
      await change(scope, 'up', null, at)
      const state = states.get(key)
      if (state !== undefined) state.newestKnownAt = Math.max(state.newestKnownAt ?? knownAt, knownAt)
    },
    async check(at) {
      for (const feed of resolved.feeds) {
        const state = states.get(feedScopeKey(feed.scope))
        const limitMs = freshnessMs(feed.granularityMs)
        // A feed that is down stays so, with its reason, until a record is heard.
        if (state?.status !== 'up' || state.newestKnownAt === null) continue
        if (at - state.newestKnownAt > limitMs) {
          await change(feed.scope, 'stale', `nothing new for more than ${limitMs / 1_000} s`, at)
        }
      }
    },
    async end(scopes, reason, at) {
      for (const scope of scopes) await change(scope, 'down', reason, at)
    },
  }
}
