import type { FeedRecord } from '../../../domain/feed-record.ts'
import type { Sql } from './connect.ts'
import { type DedicatedConnection, openDedicatedConnection } from './dedicated-connection.ts'
import { type AnnouncedRecord, announceChannel, parseAnnouncement } from './record-announcement.ts'
import { type RecordArray, recordArray, recordOf } from './rows.ts'

type Listener = (records: readonly FeedRecord[]) => void

export interface RecordSubscriptions {
  /** Hands on what this store inserted itself. */
  heardHere(records: readonly FeedRecord[]): void
  subscribe(listener: Listener): Promise<() => Promise<void>>
  close(): Promise<void>
}

export interface SubscriptionOptions {
  readonly url: string
  /** What big records are read with. */
  readonly client: () => Sql
  /** The mark of this store's own announcements, which its listeners have heard already. */
  readonly ownMark: string
  /** Announcements can be heard no more: records may have been missed. */
  readonly onLost: (cause: unknown) => void
}

/** Most announcements that may wait for one big record to be read. */
const queueLimit = 10_000

export function createRecordSubscriptions({ url, client, ownMark, onLost }: SubscriptionOptions): RecordSubscriptions {
  const listeners = new Set<{ readonly hear: Listener }>()
  let connection: Promise<DedicatedConnection> | undefined
  let queue: Promise<void> | undefined
  let queueLength = 0

  function deliver(records: readonly FeedRecord[]): void {
    for (const listener of [...listeners]) {
      try {
        listener.hear(records)
      } catch (error) {
        // The records are stored: a listener's defect is its own, and ends the process.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** Delivers at once, or behind what still waits for a big record, so that order holds. */
  function enqueue(records: readonly AnnouncedRecord[]): void {
    if (queue === undefined && records.every(isWhole)) {
      deliver(records)
      return
    }
    queueLength += 1
    if (queueLength > queueLimit) {
      onLost(new Error(`${queueLimit} announcements wait for a record to be read`))
      return
    }
    const turn = (queue ?? Promise.resolve()).then(async () => {
      deliver(await readWhole(client(), records))
      queueLength -= 1
      if (queue === turn) queue = undefined
    })
    queue = turn
    turn.catch(onLost)
  }

  function heardElsewhere(payload: string): void {
    try {
      const { announcedBy, records } = parseAnnouncement(payload)
      if (announcedBy !== ownMark && listeners.size > 0) enqueue(records)
    } catch (error) {
      onLost(error)
    }
  }

  async function listen(): Promise<DedicatedConnection> {
    const opened = openDedicatedConnection(url, {
      onNotify: heardElsewhere,
      onLost: () => onLost(new Error('the connection that announces records was lost')),
    })
    try {
      await opened.sql.unsafe(`listen ${announceChannel}`)
    } catch (error) {
      await opened.end()
      throw error
    }
    return opened
  }

  return {
    heardHere(records) {
      if (listeners.size > 0 && records.length > 0) enqueue(records)
    },
    async subscribe(hear) {
      connection ??= listen()
      try {
        await connection
      } catch (error) {
        connection = undefined
        throw error
      }
      const listener = { hear }
      listeners.add(listener)
      return async () => {
        listeners.delete(listener)
      }
    },
    async close() {
      listeners.clear()
      await (await connection?.catch(() => undefined))?.end()
    },
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
