import { formatInstant, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { RecordPage } from './record-page.ts'
import { recordingError } from './recording-error.ts'

export interface SortOptions {
  readonly timeOf: (record: SourceRecord) => Instant
  /** Number of rows that are held back so that a late row can be inserted before them. */
  readonly lookAheadRows: number
  /** Called at the end of the file, even if the count is 0. */
  readonly onEnd: (outOfOrderCount: number) => void
}

/** Sorts a file's records by time; records of one time keep the order of the file. Throws for a row that is too late. */
export async function* sortByTime(
  pages: AsyncIterable<RecordPage>,
  options: SortOptions,
): AsyncGenerator<readonly SourceRecord[]> {
  const { timeOf, lookAheadRows } = options
  const waiting: SourceRecord[] = []
  let outOfOrderCount = 0
  let newestAt = Number.NEGATIVE_INFINITY
  let releasedAt = Number.NEGATIVE_INFINITY
  for await (const { records, lines, placeOf } of pages) {
    for (const [index, record] of records.entries()) {
      const at = timeOf(record)
      if (at >= newestAt) {
        newestAt = at
        waiting.push(record)
        continue
      }
      outOfOrderCount += 1
      if (at < releasedAt) throw tooLate(placeOf(lines[index] as number), at, releasedAt, lookAheadRows)
      waiting.splice(placeAfter(waiting, at, timeOf), 0, record)
    }
    if (waiting.length <= lookAheadRows) continue
    const released = waiting.splice(0, waiting.length - lookAheadRows)
    releasedAt = timeOf(released.at(-1) as SourceRecord)
    yield released
  }
  options.onEnd(outOfOrderCount)
  yield waiting
}

/** The first index whose record has a later time. */
function placeAfter(sorted: readonly SourceRecord[], at: Instant, timeOf: SortOptions['timeOf']): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (timeOf(sorted[middle] as SourceRecord) <= at) low = middle + 1
    else high = middle
  }
  return low
}

function tooLate(place: string, at: Instant, releasedAt: Instant, lookAheadRows: number): Error {
  return recordingError(
    place,
    `the row is known at ${formatInstant(at)} but comes more than ${lookAheadRows} rows after ${formatInstant(releasedAt)}`,
    'Sort the file by time, or split it into one file per subject.',
  )
}
