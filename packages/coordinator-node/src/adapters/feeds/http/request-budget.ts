import { wait } from '@crunch/local-processes'

/** Waits until the provider's limit allows one more request; returns at once when the signal aborts. */
export type RequestBudget = (signal: AbortSignal) => Promise<void>

/** Allows at most `count` requests in any window of `windowMs`. Tests pass their own clock. */
export function createRequestBudget(
  count: number,
  windowMs: number,
  time: { now(): number; wait(lengthMs: number, signal: AbortSignal): Promise<unknown> } = {
    now: () => performance.now(),
    wait,
  },
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
