/** The end of one dispatch's time. Costs a timer only when somebody has to wait. */
export interface DispatchExpiry {
  readonly timeoutMs: number
  /** Resolves when the time is over. */
  whenExpired(): Promise<void>
  hasExpired(): boolean
  /** Ends the timer; nobody waits any more. */
  clear(): void
}

export function startExpiry(timeoutMs: number): DispatchExpiry {
  const startedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let expired = false
  let waiting: Promise<void> | undefined
  return {
    timeoutMs,
    whenExpired() {
      waiting ??= new Promise((resolve) => {
        const remainingMs = Math.max(0, startedAt + timeoutMs - performance.now())
        timer = setTimeout(() => {
          expired = true
          resolve()
        }, remainingMs)
      })
      return waiting
    },
    hasExpired: () => expired,
    clear: () => clearTimeout(timer),
  }
}
