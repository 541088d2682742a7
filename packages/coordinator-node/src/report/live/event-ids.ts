import { randomUUID } from 'node:crypto'
import type { Instant } from '../../domain/time.ts'

/** Where a client stopped reading. */
export interface Position {
  /** When the event was made, in the node's time. */
  readonly at: Instant
  /** `null`: another process, or an earlier one, made it, so its events are not here. */
  readonly seq: number | null
}

/**
 * Ids of events: the time, the process, and the number of the event in it. After a restart the number has no meaning any more, but
 * the time still tells since when a client has missed changes.
 */
export function createEventIds(now: () => Instant, mark: string = randomUUID().slice(0, 8)) {
  return {
    of: (seq: number): string => `${now()}-${mark}-${seq}`,
    /** `undefined` for text that no node sends as an id. */
    read(id: string): Position | undefined {
      const [, at, by, seq] = /^(\d{1,15})-([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? []
      if (at === undefined || seq === undefined) return undefined
      return { at: Number(at), seq: by === mark ? Number(seq) : null }
    },
  }
}

export type EventIds = ReturnType<typeof createEventIds>
