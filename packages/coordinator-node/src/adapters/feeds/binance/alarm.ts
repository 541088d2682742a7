import type { Instant } from '../../../domain/time.ts'

/** One timer that rings by the earliest time it was set to. */
export interface Alarm {
  by(at: Instant | null): void
  stop(): void
}

/** It rings early rather than late: a timer cannot wait longer than some weeks, and clocks are put right. */
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
        // A process that was held up reads what arrived meanwhile first.
        immediate = setImmediate(ring)
      }, delayMs)
    },
    stop() {
      clearTimeout(timer)
      clearImmediate(immediate)
    },
  }
}
