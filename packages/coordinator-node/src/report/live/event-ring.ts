import type { Viewer } from '../access/viewer.ts'
import type { Topic } from './topics.ts'

export interface LiveEvent {
  /** Counts from 1. */
  readonly seq: number
  readonly topic: Topic | 'reset'
  /** Of what all viewers see. */
  readonly byteCount: number
  /** The event as it is sent. Bytes that several viewers see are made once. */
  bytesFor(viewer: Viewer): Promise<Uint8Array>
}

export interface RingLimits {
  readonly events: number
  readonly bytes: number
}

/** The newest events, from which every client reads at its own pace. */
export function createEventRing(limits: RingLimits) {
  const events: LiveEvent[] = []
  let byteCount = 0
  let newest = 0
  return {
    /** The `seq` of the newest event; 0 before the first. */
    newest: () => newest,
    /** Whether everything after this event is still here. */
    reaches: (seq: number) => seq <= newest && seq >= newest - events.length,
    /** The event after this one. */
    after: (seq: number): LiveEvent | undefined => events[events.length - (newest - seq)],
    add(event: LiveEvent): void {
      events.push(event)
      newest = event.seq
      byteCount += event.byteCount
      // The newest stays, whatever its size.
      while (events.length > 1 && (events.length > limits.events || byteCount > limits.bytes)) {
        byteCount -= events.shift()?.byteCount ?? 0
      }
    },
  }
}

export type EventRing = ReturnType<typeof createEventRing>
