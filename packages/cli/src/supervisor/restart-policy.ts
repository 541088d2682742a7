import type { BackOff } from '@crunch/local-processes'

/** How fast and how often a service is started again. */
export interface RestartPolicy extends BackOff {
  /** A run of this length makes the failures before it count no more, in milliseconds. */
  readonly stableMs: number
}

/** Quick after a first crash, never slower than 10 s, and without an end: a database may come back after an hour. */
export const defaultRestartPolicy: RestartPolicy = { firstMs: 250, longestMs: 10_000, stableMs: 60_000 }
