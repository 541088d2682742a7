import { noStalls, type StallWatch } from './stall-watch.ts'

/** Node fires timers with longer delays immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The deadline of one dispatch, in wall time. Needs a timer only when a caller waits. */
export interface DispatchExpiry {
  readonly timeoutMs: number
  /** Remaining time; never negative. */
  remainingMs(): number
  /** Whether the deadline has passed, by whichever clock advanced further. An answer read after that is too late. */
  isOver(): boolean
  /** Whether this process has stalled for so long since the start that it is unknown which answers were late. */
  wasStalled(): boolean
  /** Resolves when the deadline has passed. */
  whenExpired(): Promise<void>
  /** Whether `whenExpired` has resolved, which is never before the deadline. */
  hasExpired(): boolean
  /** Stops the timer; call it when no caller waits any more. */
  clear(): void
}

/** Time starts running now. Without a watch, stalls are not detected. */
export function startExpiry(timeoutMs: number, stalls: StallWatch = noStalls): DispatchExpiry {
  const stallMs = stalledFromMs(timeoutMs)
  const lostBefore = stalls.lostMs()
  const elapsedMs = stalls.start()
  let timer: NodeJS.Timeout | undefined
  let expired = false
  let waiting: Promise<void> | undefined
  const remainingMs = () => Math.max(0, timeoutMs - elapsedMs())

  function start(): Promise<void> {
    return new Promise((resolve) => {
      const expire = () => {
        expired = true
        resolve()
      }
      // Answers that have already arrived are read first; the clock decides whether they were in time.
      timer = setTimeout(() => setImmediate(expire), Math.min(remainingMs(), MAX_TIMER_MS))
    })
  }

  return {
    timeoutMs,
    remainingMs,
    isOver: () => elapsedMs() > timeoutMs,
    wasStalled: () => stalls.lostMs() - lostBefore > stallMs,
    whenExpired() {
      waiting ??= start()
      return waiting
    },
    hasExpired: () => expired,
    clear: () => clearTimeout(timer),
  }
}

/** Bounds of the tenth of the time limit that a busy process may lose without counting as stalled. */
const MIN_STALL_MS = 250
const MAX_STALL_MS = 1_000

function stalledFromMs(timeoutMs: number): number {
  return Math.min(Math.max(timeoutMs / 10, MIN_STALL_MS), MAX_STALL_MS)
}
