import type { Instant } from '../time.ts'

/** An event that is overdue. */
export interface Stoppage {
  readonly stage: 'feed' | 'prediction' | 'score' | 'snapshot' | 'checkpoint'
  /** Constant while the same event is overdue. */
  readonly key: string
  readonly what: string
  readonly since: Instant
  readonly heldUpBy: string
  readonly fix: string
  /** The time before it becomes an alarm, because a healthy node also needs a moment. In wall time. */
  readonly graceMs: number
  /** True while the node may still be healthy. Nothing is reported, but the time counts for a later alarm. */
  readonly mayBeWell?: boolean
  /** An additional time before the alarm, in pipeline time, which a replay speeds up. */
  readonly dataGraceMs: number
}
