/** Longer delays make Node's timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The end of one dispatch's time, in wall time. Costs a timer only when somebody has to wait. */
export interface DispatchExpiry {
  readonly timeoutMs: number
  /** Never negative. */
  remainingMs(): number
  /** Resolves when the time is over. */
  whenExpired(): Promise<void>
  hasExpired(): boolean
  /** Ends the timer; nobody waits any more. */
  clear(): void
}

/** The time starts now. */
export function startExpiry(timeoutMs: number): DispatchExpiry {
  const startedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let expired = false
  let waiting: Promise<void> | undefined
  const remainingMs = () => Math.max(0, startedAt + timeoutMs - performance.now())

  function start(): Promise<void> {
    return new Promise((resolve) => {
      const expire = () => {
        expired = true
        resolve()
      }
      // Answers that reached this machine in time are read first, even when this process was late itself.
      timer = setTimeout(() => setImmediate(expire), Math.min(remainingMs(), MAX_TIMER_MS))
    })
  }

  return {
    timeoutMs,
    remainingMs,
    whenExpired() {
      waiting ??= start()
      return waiting
    },
    hasExpired: () => expired,
    clear: () => clearTimeout(timer),
  }
}
