import type { Instant } from '../time.ts'

/** Something that should have happened by now, and has not. */
export interface Stoppage {
  readonly stage: 'feed' | 'prediction' | 'score' | 'snapshot' | 'checkpoint'
  /** Constant while the same event is overdue. */
  readonly key: string
  readonly what: string
  readonly since: Instant
  readonly heldUpBy: string
  readonly fix: string
  /** How long it may last before it is an alarm: a healthy node needs a moment too. Wall time. */
  readonly graceMs: number
  /** So far the node may be healthy: the time is measured without a report, so that a later alarm is immediate. */
  readonly mayBeWell?: boolean
  /** As much again in the pipeline's time, which a replay speeds up. */
  readonly dataGraceMs: number
}
