import type { FeedRecord } from '../../../../domain/feed-record.ts'
import { type RecordArray, recordArray, recordOf } from '../schema/rows.ts'
import type { Sql } from '../session/connect.ts'
import type { AnnouncedRecord } from './record-announcement.ts'

export interface AnnouncementQueueOptions {
  /** The connection for reading large records. */
  readonly client: () => Sql
  readonly hand: (records: readonly FeedRecord[]) => void
  /** Called when a record could not be read, so that the order is no longer guaranteed. */
  readonly onLost: (cause: unknown) => void
}

/** Maximum number of announcements that wait for one large record to be read. */
const queueLimit = 10_000

/** Delivers records in order: at once, or after earlier ones that wait for a large record to be read. */
export function createAnnouncementQueue({ client, hand, onLost }: AnnouncementQueueOptions) {
  let queue: Promise<void> | undefined
  let queueLength = 0
  return (records: readonly AnnouncedRecord[]): void => {
    if (queue === undefined && records.every(isWhole)) {
      hand(records)
      return
    }
    queueLength += 1
    if (queueLength > queueLimit) {
      onLost(new Error(`${queueLimit} announcements wait for a record to be read`))
      return
    }
    const turn = (queue ?? Promise.resolve()).then(async () => {
      hand(await readWhole(client(), records))
      queueLength -= 1
      if (queue === turn) queue = undefined
    })
    queue = turn
    turn.catch(onLost)
  }
}

function isWhole(record: AnnouncedRecord): record is FeedRecord {
  return !('keyOnly' in record)
}

async function readWhole(sql: Sql, records: readonly AnnouncedRecord[]): Promise<readonly FeedRecord[]> {
  const whole: FeedRecord[] = []
  for (const announced of records) {
    if (isWhole(announced)) {
      whole.push(announced)
      continue
    }
    const { source, subject, kind, granularity, eventAt } = announced.keyOnly
    const [row] = await sql<{ record: RecordArray }[]>`
      select ${recordArray(sql)} as record from feed_records
      where source = ${source} and subject = ${subject} and kind = ${kind} and granularity = ${granularity}
        and event_at = ${eventAt}`
    // Already deleted: retention removes only records that no listener needs any more.
    if (row !== undefined) whole.push(recordOf(announced.keyOnly, row.record))
  }
  return whole
}
