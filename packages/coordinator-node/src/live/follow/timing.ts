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
export interface Patience {
  /** The wait before the first new try; it doubles with each further one. */
  readonly firstMs: number
  readonly longestMs: number
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
 * The wait before a try after `failures` failed ones: doubling, half of it by chance, so that many nodes that lost the same
 * provider do not come back to it at once; never less than the provider asked for.
 */
export function backOffMs(
  failures: number,
  retryAfterMs: number | null,
  patience: Pick<Patience, 'firstMs' | 'longestMs'>,
  timing: Timing,
): number {
  const fullMs = Math.min(patience.longestMs, patience.firstMs * 2 ** (failures - 1))
  const share = 0.5 + timing.random() / 2
  return retryAfterMs === null ? fullMs * share : Math.max(fullMs * share, retryAfterMs + patience.firstMs * share)
}
