import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { FeedRecord, FeedScope } from '../../domain/feed-record.ts'
import type { Log } from '../../ports/log.ts'
import type { FeedStore } from '../../ports/store-feed.ts'
import { acceptRecords } from './accept-records.ts'
import { createRecordWindow, type RecordWindow } from './record-window.ts'

type RecordReads = Pick<FeedStore, 'latestRecords'>

/**
 * The window of a starting process, with the stored records. An earlier era may have stored records that the current contract
 * refuses.
 */
export async function loadRecordWindow(
  resolved: ResolvedContract,
  { store, log }: { readonly store: RecordReads; readonly log: Log },
): Promise<RecordWindow> {
  const window = createRecordWindow(resolved.inputWindowMs)
  for (const feed of resolved.feeds) {
    const records = await recentRecords(store, feed.scope, resolved.inputWindowMs)
    for (const record of acceptRecords(resolved, log, records)) window.add(record)
  }
  return window
}

/** All newest records of a series that reach back over a window. */
async function recentRecords(store: RecordReads, scope: FeedScope, windowMs: number): Promise<readonly FeedRecord[]> {
  for (let limit = 512; ; limit *= 2) {
    const records = await store.latestRecords(scope, limit, Number.MAX_SAFE_INTEGER)
    const newest = records.at(-1)
    if (newest === undefined || records.length < limit) return records
    if (records.some(({ knownAt }) => knownAt <= newest.knownAt - windowMs)) return records
  }
}
