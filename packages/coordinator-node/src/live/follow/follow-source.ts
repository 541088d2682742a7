import { FeedInterrupted, isSourceError, type SourceRecord } from '../../ports/feed-source.ts'
import { followSession } from './follow-session.ts'
import { requireOffered } from './offered-series.ts'
import type { Follower } from './session.ts'
import { retryWaitMs } from './timing.ts'

export interface FollowOptions extends Follower {
  readonly signal: AbortSignal
  /** Called when the source cannot be followed for now, with the reason. */
  readonly onInterrupted: (reason: string) => Promise<void>
}

/** A connection that lasted this long resets the back-off, even without records. */
const goodConnectionMs = 60_000

/**
 * Follows a source until the signal aborts: reconnects after each interruption, fills missed records from history, and
 * delivers the records of each series in order, as far as the source allows.
 * Rejects with FEED_UNAVAILABLE when the source refuses before it ever worked, because a restart would not help.
 */
export async function* followSource(options: FollowOptions): AsyncGenerator<readonly SourceRecord[], void, undefined> {
  const { source, series, log, timing, patience, signal, onInterrupted } = options
  const names = [...new Set(series.map(({ scope }) => scope.source))].join(', ')
  let failures = 0
  let hasWorked = false
  let isChecked = false
  while (!signal.aborted) {
    const startedAt = timing.now()
    let reason = 'the source ended the connection'
    let isOrderly = true
    let retryAfterMs: number | null = null
    try {
      if (!isChecked) {
        requireOffered(
          await source.describe(signal),
          series.map(({ scope }) => scope),
        )
      }
      isChecked = true
      const onNews = () => {
        hasWorked = true
        failures = 0
      }
      yield* followSession(options, signal, onNews)
    } catch (error) {
      if (signal.aborted) return
      if (!isSourceError(error)) throw error
      const isTemporary = error instanceof FeedInterrupted
      if (!isTemporary && !hasWorked) throw error
      reason = error.message
      isOrderly = false
      retryAfterMs = isTemporary ? error.retryAfterMs : patience.longestMs
    }
    if (signal.aborted) return
    if (timing.now() - startedAt >= goodConnectionMs) failures = 0
    failures += 1
    const waitMs = retryWaitMs(failures, retryAfterMs, patience, timing)
    log.warn('a source was interrupted; reconnecting', {
      stage: 'feed',
      source: names,
      reason,
      waitMs: Math.round(waitMs),
    })
    // Providers end connections from time to time so that clients reconnect.
    if (!isOrderly || failures > 1) await onInterrupted(reason)
    await timing.wait(waitMs, signal)
  }
}
