import { setTimeout } from 'node:timers/promises'

/** The longest delay of a Node timer; longer ones fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** Waits, or returns at once when the signal aborts: `false` if it did. */
export async function wait(lengthMs: number, signal?: AbortSignal): Promise<boolean> {
  try {
    for (let leftMs = lengthMs; leftMs > 0; leftMs -= longestTimerMs) {
      await setTimeout(Math.min(leftMs, longestTimerMs), undefined, { signal })
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
  }
  return signal?.aborted !== true
}
