import { groupBy } from '../../../domain/group-by.ts'
import { isValidAnswer, type Prediction } from '../../../domain/prediction.ts'
import { percentile } from '../../../domain/statistics/percentile.ts'
import type { FailureFilter, ModelActivity, ModelFailure } from '../../../ports/reads/report-reads.ts'
import { compareText } from '../compare-text.ts'
import { comparePredictions } from './prediction-exports.ts'

/** Outcomes of predictions per model, ordered by id. Predictions must be passed oldest first. */
export function modelActivity(predictions: Iterable<Prediction>): readonly ModelActivity[] {
  const byModel = groupBy(predictions, ({ modelId }) => modelId)
  const models = [...byModel].sort(([left], [right]) => compareText(left, right))
  return models.map(([modelId, own]) => activityOf(modelId, own))
}

/** Predictions must be passed oldest first. */
export function modelFailures(
  predictions: Iterable<Prediction>,
  { modelId, until = Number.POSITIVE_INFINITY, before = null, limit }: FailureFilter,
): readonly ModelFailure[] {
  return [...predictions]
    .filter((prediction) => prediction.modelId === modelId && !isValidAnswer(prediction.status))
    .filter((prediction) => prediction.performedAt <= until)
    .filter((prediction) => before === null || comparePredictions(prediction, { ...before, modelId }) < 0)
    .slice(-limit)
    .map(({ roundId, performedAt, status, reason, blame, detail, durationMs }) => ({
      ...{ roundId, performedAt, status, reason, blame, detail, durationMs },
    }))
}

function activityOf(modelId: string, predictions: readonly Prediction[]): ModelActivity {
  const counts = { PENDING: 0, SCORED: 0, FAILED: 0, ABSENT: 0 }
  const reasons = new Map<string, number>()
  for (const { status, reason } of predictions) {
    counts[status] += 1
    if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const answers = predictions.filter(({ status }) => isValidAnswer(status))
  const problem = predictions.findLast(({ reason }) => reason !== null)
  return {
    modelId,
    counts,
    reasons: Object.fromEntries(reasons),
    latency: latencyOf(answers),
    lastPredictionAt: predictions.at(-1)?.performedAt ?? Number.NaN,
    lastAnswerAt: answers.at(-1)?.performedAt ?? null,
    lastProblem: problem === undefined ? null : problemOf(problem),
  }
}

function latencyOf(answers: readonly Prediction[]): ModelActivity['latency'] {
  const sorted = answers
    .map(({ durationMs }) => durationMs)
    .filter((durationMs) => durationMs !== null)
    .sort((left, right) => left - right)
  const [p50Ms, p95Ms, maxMs] = [percentile(sorted, 0.5), percentile(sorted, 0.95), percentile(sorted, 1)]
  return p50Ms === null || p95Ms === null || maxMs === null ? null : { p50Ms, p95Ms, maxMs }
}

function problemOf({ status, reason, blame, detail, performedAt }: Prediction): ModelActivity['lastProblem'] {
  return reason === null ? null : { status, reason, blame, detail, at: performedAt }
}
