import type { FeedRecord } from '../../../../domain/feed-record.ts'
import { type RecordArray, recordArray, recordOf } from '../schema/rows.ts'
import type { Sql } from '../session/connect.ts'
import type { AnnouncedRecord } from './record-announcement.ts'

export interface AnnouncementQueueOptions {
  /** What big records are read with. */
  readonly client: () => Sql
  readonly hand: (records: readonly FeedRecord[]) => void
  /** A record could not be read: from here on order would not hold. */
  readonly onLost: (cause: unknown) => void
}

/** Most announcements that may wait for one big record to be read. */
const queueLimit = 10_000

/** Hands records on at once, or behind what still waits for a big record to be read, so that order holds. */
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
    // Gone already: retention removes only what no listener needs any more.
    if (row !== undefined) whole.push(recordOf(announced.keyOnly, row.record))
  }
  return whole
}
