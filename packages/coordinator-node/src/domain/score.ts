import type { JsonObject } from './json/json.ts'
import type { Instant } from './time.ts'

/**
 * valid: computed by the contract. imputed: given by the contract's `missing` policy to a missing answer, or to one that could
 * not be scored, with the reason. failed: there is no value; it never enters an average.
 */
export type ScoreKind = 'valid' | 'imputed' | 'failed'

/** One prediction's score. At most one a prediction. */
export interface Score {
  readonly id: string
  readonly predictionId: string
  readonly roundId: string
  readonly modelId: string
  readonly kind: ScoreKind
  /** The fields of the contract's score schema; `null` when failed. */
  readonly value: JsonObject | null
  readonly reason: string | null
  /** The prediction and its truth as single numbers for metrics, if the contract defines them. */
  readonly signal: number | null
  readonly actual: number | null
  /** The round's `resolvableAt`: the period to which the score belongs. */
  readonly resolvableAt: Instant
  readonly scoredAt: Instant
  /** Which version of the contract's code computed it; `null` for scores from before versions were recorded. */
  readonly contractVersion: number | null
}
