import type { Instant } from './time.ts'

/** What must be known about a schedule to decide whether it can still open rounds that resolve before an instant. */
export interface ScheduleProgress {
  readonly horizonMs: number
  /** The age at which a record no longer opens a round. */
  readonly freshnessMs: number
  /** The newest round of the schedule; `null` before the first. */
  readonly lastRoundAt: Instant | null
}

/**
 * Whether no schedule can still open a round that resolves before `end`: each schedule has opened one that resolves at `end` or
 * later (rounds open in order), or such a round would need a record that is too old by now. A second freshness interval is
 * added for a round that is being written.
 */
export function noRoundCanResolveBefore(end: Instant, now: Instant, schedules: readonly ScheduleProgress[]): boolean {
  return schedules.every(({ horizonMs, freshnessMs, lastRoundAt }) => {
    const latestInstant = end - horizonMs
    if (lastRoundAt !== null && lastRoundAt >= latestInstant) return true
    return now >= latestInstant + 2 * freshnessMs
  })
}
