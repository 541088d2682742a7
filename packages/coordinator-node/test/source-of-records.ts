import type { FeedRecord } from '../src/domain/feed-record.ts'
import type { FeedSource } from '../src/ports/feed-source.ts'

/** A source that delivers a test's records, one batch per instant. */
export function sourceOf(records: readonly FeedRecord[]): FeedSource {
  const sorted = [...records].sort((left, right) => left.knownAt - right.knownAt)
  return {
    describe: async () => [],
    async *stream(_, __, signal) {
      for (let start = 0; start < sorted.length && !signal.aborted; ) {
        const { knownAt } = sorted[start] as FeedRecord
        const batch = sorted.slice(start).filter((record) => record.knownAt === knownAt)
        yield batch
        start += batch.length
      }
    },
    async *history() {},
  }
}
