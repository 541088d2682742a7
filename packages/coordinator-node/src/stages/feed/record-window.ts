import { type FeedRecord, type FeedScope, feedScopeKey } from '../../domain/feed-record.ts'
import type { Instant } from '../../domain/time.ts'

/** `new`: the newest of its scope. `late`: before the newest. `known`: its key already exists. */
export type Arrival = 'new' | 'late' | 'known'

/** The recent records of every scope, in memory, so that inputs are built without the database. */
export interface RecordWindow {
  add(record: FeedRecord): Arrival
  /** Records with `at - lengthMs < knownAt <= at`, oldest first. */
  records(scope: FeedScope, at: Instant, lengthMs: number): readonly FeedRecord[]
  newest(scope: FeedScope): FeedRecord | undefined
}

/** @param lengthMs how long records are kept, relative to the newest one of their scope */
export function createRecordWindow(lengthMs: number): RecordWindow {
  const series = new Map<string, FeedRecord[]>()

  function trim(records: FeedRecord[], from: Instant): void {
    const keep = firstAfter(records, from)
    // Removing an array's head costs its length, so it is done only when half of it has expired.
    if (keep > 64 && keep * 2 > records.length) records.splice(0, keep)
  }

  return {
    add(record) {
      const key = feedScopeKey(record)
      const records = series.get(key)
      if (records === undefined) {
        series.set(key, [record])
        return 'new'
      }
      const newest = records.at(-1)
      if (newest === undefined || record.eventAt > newest.eventAt) {
        records.push(record)
        trim(records, record.knownAt - lengthMs)
        return 'new'
      }
      const index = records.findIndex((other) => other.eventAt >= record.eventAt)
      if (records[index]?.eventAt === record.eventAt) return 'known'
      records.splice(index, 0, record)
      return 'late'
    },
    records(scope, at, windowMs) {
      const records = series.get(feedScopeKey(scope)) ?? []
      return records.slice(firstAfter(records, at - windowMs), firstAfter(records, at))
    },
    newest(scope) {
      return series.get(feedScopeKey(scope))?.at(-1)
    },
  }
}

/** Index of the first record with `knownAt > at`. */
function firstAfter(records: readonly FeedRecord[], at: Instant): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((records[middle] as FeedRecord).knownAt > at) high = middle
    else low = middle + 1
  }
  return low
}
