import type { BackOff } from '@crunch/local-processes'

/** The delays between restarts of a service. */
export interface RestartPolicy extends BackOff {
  /** A run of at least this many milliseconds resets the count of failures. */
  readonly stableMs: number
}

/** Fast after the first crash, then up to 10 s, without a limit on the number: a database may return after an hour. */
export const defaultRestartPolicy: RestartPolicy = { firstMs: 250, longestMs: 10_000, stableMs: 60_000 }
