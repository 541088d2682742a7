import type { Json } from './json/json.ts'
import type { Instant } from './time.ts'

/** PENDING: a valid answer that waits for its truth. SCORED, FAILED and ABSENT are terminal. */
export type PredictionStatus = 'PENDING' | 'SCORED' | 'FAILED' | 'ABSENT'

/** Who caused a missing answer. Only the model's own failures count against it. */
export type Blame = 'model' | 'coordinator'

/** One model's row of a round. There is exactly one for every model registered when the round opened. */
export interface Prediction {
  readonly id: string
  readonly roundId: string
  readonly modelId: string
  readonly status: PredictionStatus
  /** The answer after the contract's schema; `null` unless the model answered validly. */
  readonly output: Json
  /** A reason code such as `timeout`, `invalid_output`, `truth_unavailable`; `null` for a valid answer. */
  readonly reason: string | null
  readonly blame: Blame | null
  /** The reason in words, for the model's author. At most 2,000 characters. */
  readonly detail: string | null
  /** From sending the call to having the answer; `null` when no call was made. */
  readonly durationMs: number | null
  readonly performedAt: Instant
  readonly resolvableAt: Instant
}

/** The result of storing the answers of a round. */
export interface RecordedAnswers {
  /** `false`: the round had answers already, and nothing was changed. */
  readonly isFirst: boolean
  /** PENDING answers that came at or after `resolvableAt`, and were stored as ABSENT. */
  readonly lateCount: number
}

/** Whether a prediction of this status has an accepted answer. */
export function isValidAnswer(status: PredictionStatus): boolean {
  return status === 'PENDING' || status === 'SCORED'
}

const allowedMoves: Readonly<Record<PredictionStatus, readonly PredictionStatus[]>> = {
  PENDING: ['SCORED', 'FAILED'],
  SCORED: [],
  FAILED: [],
  ABSENT: [],
}

export function canMovePrediction(from: PredictionStatus, to: PredictionStatus): boolean {
  return allowedMoves[from].includes(to)
}
