import type { Prediction } from '../../../domain/prediction.ts'
import type { Round } from '../../../domain/round.ts'
import type { Score } from '../../../domain/score.ts'
import type { PredictionCursor, PredictionExport, PredictionStretch } from '../../../ports/store-exports.ts'
import { compareText } from '../compare-text.ts'
import { firstIndex } from './sorted-list.ts'

interface Row {
  readonly round: Round
  readonly predictions: readonly Prediction[]
  readonly scores: readonly (Score | null)[]
}

/** @param rows ordered by (performedAt, round id) */
export function predictionExports(rows: readonly Row[], stretch: PredictionStretch): readonly PredictionExport[] {
  const { from, to, after, limit } = stretch
  const found: PredictionExport[] = []
  const start = Math.max(from, after?.performedAt ?? from)
  for (let index = firstIndex(rows, ({ round }) => round.performedAt >= start); index < rows.length; index += 1) {
    const { round, predictions, scores } = rows[index] as Row
    if (round.performedAt >= to) return found
    for (const [position, prediction] of predictions.entries()) {
      if (found.length === limit) return found
      if (after !== null && comparePredictions(prediction, after) <= 0) continue
      const { scheduleKey, scope, horizonMs, stepMs, actuals, voidReason } = round
      const score = scores[position] ?? null
      found.push({ prediction, scheduleKey, scope, horizonMs, stepMs, score, actuals, voidReason })
    }
  }
  return found
}

/** In the order of (performedAt, roundId, modelId). */
export function comparePredictions(one: PredictionCursor, other: PredictionCursor): number {
  const { performedAt, roundId, modelId } = other
  return one.performedAt - performedAt || compareText(one.roundId, roundId) || compareText(one.modelId, modelId)
}
