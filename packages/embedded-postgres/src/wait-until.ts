import { setTimeout as delay } from 'node:timers/promises'

/** Polls `condition` until it returns a value other than undefined; returns undefined on a time-out. */
export async function waitUntil<T>(
  condition: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number,
  intervalMs = 20,
): Promise<T | undefined> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined) return value
    if (performance.now() >= deadlineMs) return undefined
    await delay(intervalMs)
  }
}
