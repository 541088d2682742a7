import type { ChangeListener } from '../../../../ports/store-workers.ts'
import { createChangeAnnouncer, type RunStatement } from './change-announcer.ts'
import { type ChangeConnection, subscribeChanges } from './change-subscription.ts'

/** The announcements of one store, and its subscriptions to those of all. */
export function createChanges({ run, ...connection }: ChangeConnection & { readonly run: RunStatement }) {
  const { announce, close } = createChangeAnnouncer(run)
  const ends = new Set<() => Promise<void>>()
  return {
    announce,
    async subscribe(listener: ChangeListener): Promise<() => Promise<void>> {
      const end = await subscribeChanges(connection, listener)
      ends.add(end)
      return () => {
        ends.delete(end)
        return end()
      }
    },
    /** Waits for the announcement that is being sent. */
    async close(): Promise<void> {
      await Promise.all([close(), ...[...ends].map((end) => end())])
    },
  }
}
