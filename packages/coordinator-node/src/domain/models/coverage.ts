/** How much of a span of rounds a model has answered. */
export interface AnsweredRounds {
  /** All rounds of the span that have a truth, also those in which the model had no row. */
  readonly roundCount: number
  /** Excused rounds: the answer is missing or has no score by the coordinator's fault. */
  readonly excusedCount: number
  /** Rounds in which it has a valid score, not an imputed one. */
  readonly validCount: number
}

/** The share of a span's rounds that a model answered, from 0 to 1; `null` when there were none. */
export function coverageOf(rounds: AnsweredRounds): number | null {
  return rounds.roundCount > rounds.excusedCount ? answeredShare(rounds) : null
}

/** As `coverageOf`, for a model with a valid score. `NaN` if there are no rounds. */
export function answeredShare({ roundCount, excusedCount, validCount }: AnsweredRounds): number {
  return validCount / (roundCount - excusedCount)
}
