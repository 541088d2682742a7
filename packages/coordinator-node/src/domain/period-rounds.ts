import type { FieldSum } from './snapshot.ts'
import type { Instant } from './time.ts'

/** The rounds of a closed snapshot period `[periodStart, periodEnd)`, whether or not a model had a row in them. */
export interface PeriodRounds {
  readonly periodStart: Instant
  readonly periodEnd: Instant
  /** Rounds with a truth in which at least one model was called. */
  readonly roundCount: number
  /** Sum of the worst ranking value of each round with a valid score. */
  readonly worst: FieldSum
  /**
   * Sum of the score of a missing answer, over the rounds in which it has one: the sum of a model that was retired
   * throughout.
   */
  readonly missing: FieldSum
  /** The `performedAt` of the first round; the end of the period if there is none. */
  readonly firstPerformedAt: Instant
}
