import { wait } from '../polling/wait.ts'

/** Waits until one more request is within what a provider allows; returns at once when the signal aborts. */
export type RequestBudget = (signal: AbortSignal) => Promise<void>

/** At most so many requests in any window of that length. Tests pass a time of their own. */
export function createRequestBudget(
  count: number,
  windowMs: number,
  time = { now: () => performance.now(), wait },
): RequestBudget {
  const takenAt: number[] = []
  return async (signal) => {
    while (!signal.aborted) {
      const now = time.now()
      while (takenAt.length > 0 && takenAt[0]! <= now - windowMs) takenAt.shift()
      if (takenAt.length < count) {
        takenAt.push(now)
        return
      }
      await time.wait(Math.max(1, takenAt[0]! + windowMs - now), signal)
    }
  }
}
