/** How fast and how often a service is started again. All in milliseconds. */
export interface RestartPolicy {
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** A run of this length wipes out the failures before it. */
  readonly stableMs: number
}

/** Quick after a first crash, never slower than 10 s, and without an end: a database may come back after an hour. */
export const defaultRestartPolicy: RestartPolicy = { firstDelayMs: 250, maxDelayMs: 10_000, stableMs: 60_000 }

/** The pause before the next start after `failures` (at least one) failures in a row: doubling, capped. */
export function restartDelayMs(failures: number, policy: RestartPolicy): number {
  // 2^30 is far beyond any cap and keeps the product finite.
  const doublings = Math.min(Math.max(failures, 1) - 1, 30)
  return Math.min(policy.firstDelayMs * 2 ** doublings, policy.maxDelayMs)
}
