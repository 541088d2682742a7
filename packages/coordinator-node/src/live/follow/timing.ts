import { type BackOff, scatteredBackOffMs, wait } from '@crunch/local-processes'

/** The clock and randomness that following a source depends on. */
export interface Timing {
  /** Milliseconds since the epoch. */
  now(): number
  /** Returns at once when the signal aborts. */
  wait(lengthMs: number, signal: AbortSignal): Promise<unknown>
  /** `0 <= x < 1`. */
  random(): number
}

export const wallTiming: Timing = { now: () => Date.now(), wait, random: () => Math.random() }

/** Time-outs and intervals of a follower. */
export interface Patience extends BackOff {
  /** How long new records wait for the records missing before them. */
  readonly historyMs: number
  /** First interval between reads of an open gap; doubles each time. */
  readonly repairMs: number
  /** Age at which a gap is given up. */
  readonly giveUpMs: number
}

export const defaultPatience: Patience = {
  firstMs: 1_000,
  longestMs: 60_000,
  historyMs: 20_000,
  repairMs: 30_000,
  giveUpMs: 86_400_000,
}

/**
 * The wait before the next attempt after `failures` failed ones: back-off with jitter, because many nodes may have lost the
 * same provider, but at least as long as the provider asked.
 */
export function retryWaitMs(failures: number, retryAfterMs: number | null, patience: BackOff, timing: Timing): number {
  const ownMs = scatteredBackOffMs(failures, patience, timing.random)
  if (retryAfterMs === null) return ownMs
  return Math.max(ownMs, retryAfterMs + scatteredBackOffMs(1, patience, timing.random))
}
