import type { Instant } from '../domain/time.ts'
import type { FeedSource } from '../ports/feed-source.ts'

/** The part of a source with `from <= knownAt < to`; absent bounds do not limit. `history` is not clipped. */
export function clipSource(source: FeedSource, part: { readonly from?: Instant; readonly to?: Instant }): FeedSource {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = part
  return {
    describe: (signal) => source.describe(signal),
    async *stream(scopes, after, signal, onOpen) {
      for await (const batch of source.stream(scopes, after, signal, onOpen)) {
        const kept = batch.filter(({ knownAt }) => knownAt >= from && knownAt < to)
        if (kept.length > 0) yield kept
        // Records of a scope are ordered by `knownAt`; a batch has one instant.
        if ((batch[0]?.knownAt ?? from) >= to) return
      }
    },
    ...(source.history && { history: source.history }),
  }
}
