import type { FeedRecord } from '../../../domain/feed-record.ts'
import { createRecordListeners, type RecordListener } from '../record-listeners.ts'
import { createAnnouncementQueue } from './announcement-queue.ts'
import type { Sql } from './connect.ts'
import { type DedicatedConnection, openDedicatedConnection } from './dedicated-connection.ts'
import { announceChannel, parseAnnouncement } from './record-announcement.ts'
import type { Database } from './session/database.ts'

export interface RecordSubscriptions {
  /** Hands on what this store inserted itself. */
  heardHere(records: readonly FeedRecord[]): void
  subscribe(listener: RecordListener): Promise<() => Promise<void>>
  close(): Promise<void>
}

export interface SubscriptionOptions {
  readonly database: Database
  readonly client: () => Sql
  /** The mark of this store's own announcements, which its listeners have heard already. */
  readonly ownMark: string
  /** Announcements can be heard no more: records may have been missed. */
  readonly onLost: (cause: unknown) => void
}

export function createRecordSubscriptions({
  database,
  client,
  ownMark,
  onLost,
}: SubscriptionOptions): RecordSubscriptions {
  const listeners = createRecordListeners()
  const enqueue = createAnnouncementQueue({ client, hand: listeners.hand, onLost })
  let connection: Promise<DedicatedConnection> | undefined

  function heardElsewhere(payload: string): void {
    try {
      const { announcedBy, records } = parseAnnouncement(payload)
      if (announcedBy !== ownMark && !listeners.isEmpty()) enqueue(records)
    } catch (error) {
      onLost(error)
    }
  }

  return {
    heardHere(records) {
      if (!listeners.isEmpty()) enqueue(records)
    },
    async subscribe(listener) {
      connection ??= listen(database, heardElsewhere, onLost)
      try {
        await connection
      } catch (error) {
        connection = undefined
        throw error
      }
      return listeners.add(listener)
    },
    async close() {
      listeners.clear()
      // One that could not be opened has rejected its `subscribe`, and has nothing to end.
      await (await connection?.catch(() => undefined))?.end()
    },
  }
}

async function listen(
  database: Database,
  onNotify: (payload: string) => void,
  onLost: (cause: unknown) => void,
): Promise<DedicatedConnection> {
  const opened = openDedicatedConnection(database, {
    onNotify,
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
