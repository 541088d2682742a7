import { setTimeout } from 'node:timers/promises'

/** Waits, or returns at once when the signal aborts. */
export async function wait(lengthMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  try {
    await setTimeout(lengthMs, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
