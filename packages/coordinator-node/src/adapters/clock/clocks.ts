import { setImmediate } from 'node:timers/promises'
import type { Instant } from '../../domain/time.ts'
import type { Clock } from '../../ports/clock.ts'

let lastTurn: Promise<void> = Promise.resolve()

/** One caller a turn of the event loop, whatever their clocks say. */
export function nextTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => setImmediate())
  return lastTurn
}

/** The machine's time. */
export const wallClock: Clock = {
  now: () => Date.now(),
  refresh: async () => Date.now(),
  turn: nextTurn,
}

/** A clock that its driver moves. It never goes back. */
export interface VirtualClock extends Clock {
  advanceTo(at: Instant): void
}

/** The time of a simulation, and of the process that feeds a replay: what the records have reached. */
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

/** The time of a replay in the other processes: the newest watermark in the database they share. */
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
    // Who asks again while a database is silent waits for the same answer, instead of adding a question.
    refresh() {
      reading ??= read().finally(() => {
        reading = undefined
      })
      return reading
    },
  }
}
