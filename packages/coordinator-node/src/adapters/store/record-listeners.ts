import type { FeedRecord } from '../../domain/feed-record.ts'

export type RecordListener = (records: readonly FeedRecord[]) => void

export interface RecordListeners {
  isEmpty(): boolean
  /** The returned function removes it; calling it again does nothing. */
  add(listener: RecordListener): () => Promise<void>
  hand(records: readonly FeedRecord[]): void
  clear(): void
}

export function createRecordListeners(): RecordListeners {
  const listeners = new Set<{ readonly hear: RecordListener }>()
  return {
    isEmpty: () => listeners.size === 0,
    add(hear) {
      const listener = { hear }
      listeners.add(listener)
      return async () => {
        listeners.delete(listener)
      }
    },
    hand(records) {
      if (records.length === 0) return
      for (const listener of [...listeners]) {
        try {
          listener.hear(records)
        } catch (error) {
          // The records are stored, so an exception of a listener must not fail the append; it ends the process instead.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
    clear: () => listeners.clear(),
  }
}
