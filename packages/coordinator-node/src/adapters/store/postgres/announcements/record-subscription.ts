import type { FeedRecord } from '../../../../domain/feed-record.ts'
import { createRecordListeners, type RecordListener } from '../../record-listeners.ts'
import type { Sql } from '../session/connect.ts'
import type { ConnectionLimits } from '../session/connection-limits.ts'
import type { Database } from '../session/database.ts'
import type { DedicatedConnection } from '../session/dedicated-connection.ts'
import { createAnnouncementQueue } from './announcement-queue.ts'
import { listen } from './listen.ts'
import { announceChannel, parseAnnouncement } from './record-announcement.ts'

export interface RecordSubscriptions {
  /** Delivers records that this store inserted itself. */
  heardHere(records: readonly FeedRecord[]): void
  subscribe(listener: RecordListener): Promise<() => Promise<void>>
  close(): Promise<void>
}

export interface SubscriptionOptions {
  readonly database: Database
  readonly client: () => Sql
  /** The mark of this store's own announcements, which its listeners have already received. */
  readonly ownMark: string
  readonly limits: ConnectionLimits
  /** Called when announcements are no longer received: records may have been missed. */
  readonly onLost: (cause: unknown) => void
}

export function createRecordSubscriptions({
  database,
  client,
  ownMark,
  limits,
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
      connection ??= listen({ database, limits, channel: announceChannel, onNotify: heardElsewhere, onLost })
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
      // A subscription that could not be opened has rejected `subscribe`; there is nothing to end.
      await (await connection?.catch(() => undefined))?.end()
    },
  }
}
