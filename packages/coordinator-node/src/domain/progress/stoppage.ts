import type { Instant } from '../time.ts'

/** Something that should have happened by now, and has not. */
export interface Stoppage {
  readonly stage: 'feed' | 'prediction' | 'score' | 'snapshot' | 'checkpoint'
  /** The same for as long as the same thing does not happen. */
  readonly key: string
  readonly what: string
  readonly since: Instant
  readonly heldUpBy: string
  readonly fix: string
  /** How long it may last before it is an alarm: a healthy node needs a moment too. Wall time. */
  readonly graceMs: number
  /** So far it may be well: the time counts, so that it is an alarm at once when it turns out not to be, and nothing is told. */
  readonly mayBeWell?: boolean
  /** As much again in the pipeline's time, which a replay speeds up. */
  readonly dataGraceMs: number
}
