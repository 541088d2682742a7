import type { FieldSum } from './snapshot.ts'
import type { Instant } from './time.ts'

/** The rounds of a closed snapshot period `[periodStart, periodEnd)`, whether or not a model had a row in them. */
export interface PeriodRounds {
  readonly periodStart: Instant
  readonly periodEnd: Instant
  /** Rounds that have a truth and in which at least one model was asked. */
  readonly roundCount: number
  /** Over the rounds that have a valid score: the ranking value of the worst one. */
  readonly worst: FieldSum
  /**
   * Over the rounds in which a missing answer has a score: that score. It is the score of a model that was retired
   * throughout.
   */
  readonly missing: FieldSum
  /** When the first of the rounds was performed; the end of the period without one. */
  readonly firstPerformedAt: Instant
}
