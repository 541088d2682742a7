import type { FeedRecord } from '../../domain/feed-record.ts'

/** A write collects waiting batches of records until it has at least this many. */
const enoughRecords = 1_000

/** Stores records in order of arrival; all records that arrive during a write form the next batch. */
export interface RecordWriter {
  /** Resolves when these records are stored; rejects if storing them or any earlier ones failed. */
  write(records: readonly FeedRecord[]): Promise<void>
}

interface Waiting {
  readonly records: readonly FeedRecord[]
  readonly settle: (failure?: { readonly error: unknown }) => void
}

/** @param store called sequentially, so that a watermark never passes a record that is not stored yet */
export function createRecordWriter(store: (records: readonly FeedRecord[]) => Promise<unknown>): RecordWriter {
  let waiting: Waiting[] = []
  let isWriting = false
  let failure: { readonly error: unknown } | undefined

  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0 && failure === undefined) {
      const batch = takeBatch(waiting)
      waiting = waiting.slice(batch.length)
      try {
        await store(batch.flatMap(({ records }) => records))
      } catch (error) {
        failure = { error }
      }
      // Resolve all callers of a batch together, so that their next records are written together too.
      for (const { settle } of batch) settle(failure)
    }
    isWriting = false
    for (const { settle } of waiting.splice(0)) settle(failure)
  }

  return {
    write(records) {
      return new Promise((resolve, reject) => {
        const settle: Waiting['settle'] = (failed) => (failed === undefined ? resolve() : reject(failed.error))
        if (failure !== undefined) {
          settle(failure)
          return
        }
        waiting.push({ records, settle })
        if (!isWriting) void writeAll()
      })
    },
  }
}

function takeBatch(waiting: readonly Waiting[]): readonly Waiting[] {
  let count = 0
  const end = waiting.findIndex(({ records }) => {
    count += records.length
    return count >= enoughRecords
  })
  return end < 0 ? waiting : waiting.slice(0, end + 1)
}
