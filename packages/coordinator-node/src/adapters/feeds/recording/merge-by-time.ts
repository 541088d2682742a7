import { feedScopeKey } from '../../../domain/feed-record.ts'
import { formatInstant, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { recordingError } from './recording-error.ts'
import { maxBatchRecords } from './recording-options.ts'

/** A file's records in time order. */
export interface SortedFile {
  readonly path: string
  readonly pages: AsyncGenerator<readonly SourceRecord[]>
}

interface Cursor extends SortedFile {
  page: readonly SourceRecord[]
  index: number
  /** Time of the record at `index`; infinite at the end. */
  at: Instant
}

/**
 * The records of all files in time order, one batch per instant, ordered by scope key, `eventAt` and file. Ends without an
 * error when `signal` aborts; always closes the files.
 */
export async function* mergeByTime(
  files: readonly SortedFile[],
  timeOf: (record: SourceRecord) => Instant,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceRecord[]> {
  const cursors: Cursor[] = files.map((file) => ({ ...file, page: [], index: 0, at: Number.NEGATIVE_INFINITY }))
  try {
    for (const cursor of cursors) await fill(cursor, timeOf)
    while (!signal.aborted) {
      let at = Number.POSITIVE_INFINITY
      for (const cursor of cursors) at = Math.min(at, cursor.at)
      if (at === Number.POSITIVE_INFINITY) return
      const batch: SourceRecord[] = []
      for (const cursor of cursors) {
        while (cursor.at === at) {
          batch.push(cursor.page[cursor.index] as SourceRecord)
          if (batch.length > maxBatchRecords) throw tooMany(cursor.path, at)
          cursor.index += 1
          const next = cursor.page[cursor.index]
          if (next === undefined) await fill(cursor, timeOf)
          else cursor.at = timeOf(next)
        }
      }
      yield batch.length === 1 ? batch : sortBatch(batch)
    }
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.pages.return(undefined)))
  }
}

async function fill(cursor: Cursor, timeOf: (record: SourceRecord) => Instant): Promise<void> {
  for (;;) {
    const { done, value } = await cursor.pages.next()
    cursor.page = done === true ? [] : value
    cursor.index = 0
    const [first] = cursor.page
    cursor.at = first === undefined ? Number.POSITIVE_INFINITY : timeOf(first)
    if (done === true || first !== undefined) return
  }
}

/** The sort is stable: duplicates and revisions of a record keep the order of the files. */
function sortBatch(batch: readonly SourceRecord[]): SourceRecord[] {
  const keyed = batch.map((record) => ({ record, key: feedScopeKey(record) }))
  keyed.sort((one, other) => {
    if (one.key !== other.key) return one.key < other.key ? -1 : 1
    return one.record.eventAt - other.record.eventAt
  })
  return keyed.map(({ record }) => record)
}

function tooMany(path: string, at: Instant): Error {
  const problem = `more than ${maxBatchRecords} records are known at ${formatInstant(at)}`
  return recordingError(path, problem, 'Records of one instant are held in memory together: give them different times.')
}
