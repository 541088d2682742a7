import { setImmediate } from 'node:timers/promises'
import type { Instant } from '../../domain/time.ts'
import type { Clock } from '../../ports/clock.ts'

let lastTurn: Promise<void> = Promise.resolve()

/** Resumes one caller per turn of the event loop, for all clocks. */
export function nextTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => setImmediate())
  return lastTurn
}

/** The wall clock of the machine. */
export const wallClock: Clock = {
  now: () => Date.now(),
  refresh: async () => Date.now(),
  turn: nextTurn,
}

/** A clock advanced by its driver. It never goes back. */
export interface VirtualClock extends Clock {
  advanceTo(at: Instant): void
}

/** The clock of a simulation, and of the feeding process of a replay: the time that the records have reached. */
export function createVirtualClock(startAt: Instant = 0): VirtualClock {
  let current = startAt
  return {
    now: () => current,
    refresh: async () => current,
    turn: nextTurn,
    waits: true,
    advanceTo(at) {
      current = Math.max(current, at)
    },
  }
}

/** The clock of a replay in its other processes: the newest watermark in the database. */
export function createReplayClock(newestWatermark: () => Promise<Instant | null>): Clock {
  const clock = createVirtualClock()
  let reading: Promise<Instant> | undefined
  async function read(): Promise<Instant> {
    clock.advanceTo((await newestWatermark()) ?? 0)
    return clock.now()
  }
  return {
    now: clock.now,
    turn: clock.turn,
    // Concurrent calls share one query, so that queries do not pile up while the database is silent.
    refresh() {
      reading ??= read().finally(() => {
        reading = undefined
      })
      return reading
    },
  }
}
