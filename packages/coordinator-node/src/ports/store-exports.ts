import type { FeedScope } from '../domain/feed-record.ts'
import type { Json } from '../domain/json/json.ts'
import type { Prediction } from '../domain/prediction.ts'
import type { Score } from '../domain/score.ts'
import type { Instant } from '../domain/time.ts'

/** A prediction with its round and score, for the API. */
export interface PredictionReport {
  readonly prediction: Prediction
  readonly scheduleKey: string
  readonly scope: FeedScope
  readonly horizonMs: number
  readonly stepMs: number
  readonly score: Score | null
}

/** A prediction with its answer, truth and score. */
export interface PredictionExport extends PredictionReport {
  /** The round's truth, `null` until resolved and for a void round. */
  readonly actuals: Json
  /** Why the round is void; `null` otherwise. */
  readonly voidReason: string | null
}

/** A position in all predictions, which are in order of (performedAt, roundId, modelId). */
export interface PredictionCursor {
  readonly performedAt: Instant
  readonly roundId: string
  readonly modelId: string
}

export interface PredictionStretch {
  /** `from <= performedAt < to`. */
  readonly from: Instant
  readonly to: Instant
  /** Only what comes after it; `null`: from the start. */
  readonly after: PredictionCursor | null
  readonly limit: number
}

/** What exports read. */
export interface ExportReads {
  /** The OLDEST `limit` of a time range, ordered by (performedAt, roundId, modelId). */
  predictionExports(stretch: PredictionStretch): Promise<readonly PredictionExport[]>
}
