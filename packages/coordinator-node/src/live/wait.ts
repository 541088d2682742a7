import { setTimeout } from 'node:timers/promises'

/** The longest delay of a Node timer; longer ones fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** Waits, or returns at once when the signal aborts. */
export async function wait(lengthMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = lengthMs; leftMs > 0 && !signal.aborted; leftMs -= longestTimerMs) {
    try {
      await setTimeout(Math.min(leftMs, longestTimerMs), undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
