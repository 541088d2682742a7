import type { Instant } from '../../../domain/time.ts'

/** One timer that fires at the earliest time it was set to. */
export interface Alarm {
  by(at: Instant | null): void
  stop(): void
}

/** May fire too early, never too late: timers cannot wait longer than a few weeks, and the clock may be corrected. */
const longestMs = 60 * 60 * 1_000

export function createAlarm(now: () => Instant, onRing: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined
  let immediate: NodeJS.Immediate | undefined
  let setTo: Instant | null = null

  function ring(): void {
    setTo = null
    onRing()
  }

  return {
    by(at) {
      if (at === null || (setTo !== null && setTo <= at)) return
      clearTimeout(timer)
      setTo = at
      const delayMs = Math.min(Math.max(at - now(), 1), longestMs)
      timer = setTimeout(() => {
        // After a stall, the process first reads what has arrived meanwhile.
        immediate = setImmediate(ring)
      }, delayMs)
    },
    stop() {
      clearTimeout(timer)
      clearImmediate(immediate)
    },
  }
}
