import { noStalls, type StallWatch } from './stall-watch.ts'

/** Longer delays make Node's timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The deadline of one dispatch, in wall time. Needs a timer only when a caller waits. */
export interface DispatchExpiry {
  readonly timeoutMs: number
  /** Never negative. */
  remainingMs(): number
  /** Whether the time is over at this moment, by the clock that went further: what is read now comes too late. */
  isOver(): boolean
  /** Whether this process stalled for so long since the start that it is unknown which answers were late. */
  wasStalled(): boolean
  /** Resolves when the time is over. */
  whenExpired(): Promise<void>
  /** Whether `whenExpired` has resolved: at the earliest when the time is over. */
  hasExpired(): boolean
  /** Ends the timer when no caller waits any more. */
  clear(): void
}

/** The time starts now. Without a watch, nothing is known of stalls. */
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
      // What reached this machine before is read first; whether it came in time is judged by the clock.
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

/** A tenth of the time, within these: what a busy process may lose without having been stopped. */
const MIN_STALL_MS = 250
const MAX_STALL_MS = 1_000

function stalledFromMs(timeoutMs: number): number {
  return Math.min(Math.max(timeoutMs / 10, MIN_STALL_MS), MAX_STALL_MS)
}
