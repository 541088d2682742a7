import { wait } from '../polling/wait.ts'

/** Waits until one more request is within what a provider allows; returns at once when the signal aborts. */
export type RequestBudget = (signal: AbortSignal) => Promise<void>

/** At most so many requests in any window of that length. */
export function createRequestBudget(count: number, windowMs: number): RequestBudget {
  const takenAt: number[] = []
  return async (signal) => {
    while (!signal.aborted) {
      const now = performance.now()
      while (takenAt.length > 0 && takenAt[0]! <= now - windowMs) takenAt.shift()
      if (takenAt.length < count) {
        takenAt.push(now)
        return
      }
      await wait(Math.max(1, takenAt[0]! + windowMs - now), signal)
    }
  }
}
