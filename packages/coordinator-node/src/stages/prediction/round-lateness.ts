import type { Schedule } from '../../domain/round.ts'
import { durationMs, type Instant } from '../../domain/time.ts'

/** The minimum of the allowed lateness: a record of a one-second series takes at most this long to arrive. */
const recordLatenessMs = 5_000
/** A grid instant of an `on: 'clock'` schedule that passed longer ago was missed. */
export const clockLatenessMs = 1_000
/**
 * The time reserved for storing the answers between the models' deadline and the horizon: a tenth of the horizon, at
 * most a second.
 */
const storingShare = 0.1
const maxStoringMs = 1_000

/** Whether a round may still open, and how long its models may take then. */
export type RoundLateness = { readonly kind: 'too-late' } | { readonly kind: 'opens'; readonly timeoutMs: number }

/**
 * Judges a round that would open at `now` for the instant `at`. It is too late after one granularity (a backlog after a pause
 * opens nothing), and when its models would have less than half of the contract's time-out before the horizon. The models'
 * deadline is always before the horizon, from which on the truth can be known.
 */
export function roundLateness(schedule: Schedule, timeoutMs: number, at: Instant, now: Instant): RoundLateness {
  const { horizonMs, on, scope } = schedule
  const lateMs = Math.max(0, now - at)
  const limitMs = on === 'clock' ? clockLatenessMs : Math.max(durationMs(scope.granularity), recordLatenessMs)
  const leftMs = horizonMs - lateMs - Math.min(storingShare * horizonMs, maxStoringMs)
  if (lateMs > limitMs || leftMs <= 0 || leftMs < timeoutMs / 2) return { kind: 'too-late' }
  return { kind: 'opens', timeoutMs: Math.min(timeoutMs, leftMs) }
}
