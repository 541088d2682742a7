import { type BackOff, scatteredBackOffMs } from '@crunch/local-processes'
import { wait } from '../wait.ts'

/** The clock and randomness that following a source depends on. */
export interface Timing {
  /** Milliseconds since the epoch. */
  now(): number
  /** Returns at once when the signal aborts. */
  wait(lengthMs: number, signal: AbortSignal): Promise<void>
  /** `0 <= x < 1`. */
  random(): number
}

export const wallTiming: Timing = { now: () => Date.now(), wait, random: () => Math.random() }

/** How patient a follower is. */
export interface Patience extends BackOff {
  /** How long new records wait while history does not give what is missing before them. */
  readonly historyMs: number
  /** How often holes that stayed open are tried again; the wait for each doubles. */
  readonly repairMs: number
  /** A hole that is this old is given up. */
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
 * The wait before a try after `failures` failed ones: the back-off of many nodes that lost the same provider, and never less
 * than the provider asked for.
 */
export function retryWaitMs(failures: number, retryAfterMs: number | null, patience: BackOff, timing: Timing): number {
  const ownMs = scatteredBackOffMs(failures, patience, timing.random)
  if (retryAfterMs === null) return ownMs
  return Math.max(ownMs, retryAfterMs + scatteredBackOffMs(1, patience, timing.random))
}
