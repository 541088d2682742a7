import { type FeedRecord, feedScopeKey } from '../../domain/feed-record.ts'
import { formatInstant } from '../../domain/time.ts'
import type { Log } from '../../ports/log.ts'
import type { FeedStore } from '../../ports/store-feed.ts'

/** Stores accepted records and returns the new ones. The first version of a revised record is kept, with a warning. */
export async function storeRecords(
  { store, log }: { readonly store: Pick<FeedStore, 'appendRecords'>; readonly log: Log },
  records: readonly FeedRecord[],
): Promise<readonly FeedRecord[]> {
  const { inserted, revisions } = await store.appendRecords(records)
  for (const revision of revisions) {
    log.warn('a provider revised a record; the first version is kept', {
      stage: 'feed',
      scope: feedScopeKey(revision),
      eventAt: formatInstant(revision.eventAt),
    })
  }
  return inserted
}
