import type { Instant } from '../domain/time.ts'
import type { FeedSource, SourceRecord } from '../ports/feed-source.ts'
import { describeAhead, splitByClock } from './feeds/split-by-clock.ts'

export interface ClockCheck {
  readonly now: () => Instant
  readonly toleranceMs: number
  /** Called with records from the future and a description of the clock skew. */
  readonly onAhead: (records: readonly SourceRecord[], reason: string) => Promise<void>
}

/**
 * Removes records from a source that are in the future by this node's clock. The follower reads them from history once
 * their time has come. A batch may become empty, which still shows that the source is not silent.
 */
export function withClockCheck(source: FeedSource, check: ClockCheck): FeedSource {
  const { history } = source
  return {
    describe: (signal) => source.describe(signal),
    stream: (scopes, from, signal, onOpen) => believable(source.stream(scopes, from, signal, onOpen), check),
    ...(history && {
      history: (scope, from, to, signal) => believable(history(scope, from, to, signal), check),
    }),
  }
}

async function* believable(
  batches: AsyncIterable<readonly SourceRecord[]>,
  { now, toleranceMs, onAhead }: ClockCheck,
): AsyncGenerator<readonly SourceRecord[]> {
  for await (const batch of batches) {
    const receivedAt = now()
    const { kept, ahead } = splitByClock(batch, receivedAt, toleranceMs)
    const [early] = ahead
    if (early !== undefined) {
      await onAhead(ahead, describeAhead(early.source, early.knownAt, receivedAt, toleranceMs))
    }
    yield kept
  }
}
