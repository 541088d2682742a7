import type { FeedRecord } from '../domain/feed-record.ts'

/** Largest batch of one write. */
const mostRecords = 1_000

/** Stores records in the order in which they come, with whatever came while the last write was under way in one batch. */
export interface RecordWriter {
  /** Resolves when these records are stored; rejects when they, or any before them, could not be. */
  write(records: readonly FeedRecord[]): Promise<void>
}

/** @param store one after the other, so that a watermark never passes a record that is not stored yet */
export function createRecordWriter(store: (records: readonly FeedRecord[]) => Promise<unknown>): RecordWriter {
  const waiting: FeedRecord[] = []
  let writing: Promise<void> = Promise.resolve()
  return {
    write(records) {
      waiting.push(...records)
      writing = writing.then(async () => {
        // An earlier turn may have taken these along.
        while (waiting.length > 0) await store(waiting.splice(0, mostRecords))
      })
      return writing
    },
  }
}
