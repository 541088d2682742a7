import { type FeedRecord, feedScopeKey } from '../../domain/feed-record.ts'

/** Throws a `RangeError` naming the first record with an instant that is not a whole millisecond. */
export function checkRecords(records: readonly FeedRecord[]): void {
  for (const record of records) {
    const { eventAt, knownAt, receivedAt } = record
    if (Number.isSafeInteger(eventAt) && Number.isSafeInteger(knownAt) && Number.isSafeInteger(receivedAt)) continue
    throw new RangeError(
      `a record of ${feedScopeKey(record)} has instants that are not whole milliseconds: eventAt ${eventAt}, knownAt ${knownAt}, receivedAt ${receivedAt}`,
    )
  }
}
