import { z } from 'zod'
import type { PredictionExport, PredictionReport } from '../../../ports/store-exports.ts'
import { cursorField, newestPage } from '../../http/cursor.ts'
import { defineRoute } from '../../http/define-route.ts'
import { chartFields, idField, limitField, readRange, rowIdField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { type AnswerGate, answerFields, answerGate } from '../../rows/hidden-answers.ts'
import { naiveTime, numberOf, numbersOf, withNumbers } from '../../rows/row-fields.ts'
import { scopeFieldsOf } from '../../rows/scope-fields.ts'
import { visibleModelIds } from '../../rows/visible-models.ts'
import { predictionRow as rowSchema } from './prediction-schema.ts'

const weekMs = 604_800_000

export const predictions = defineRoute({
  method: 'get',
  path: '/reports/predictions',
  tag: 'Predictions',
  summary: 'The newest predictions of a range, oldest first.',
  description: 'Default: the week before `end`. The next page has older ones.',
  tier: 'read',
  extra: 'charts',
  query: z.object({
    ...chartFields,
    limit: limitField(5_000, 20_000),
    cursor: cursorField(z.tuple([z.int(), rowIdField, idField])),
  }),
  answer: z.array(rowSchema),
  example: { path: '/reports/predictions?limit=2' },
})

export const servePredictions = serveRoute(
  predictions,
  ({ reads, contract, clock }) =>
    async ({ query, viewer, context }) => {
      const { from, to } = await readRange(query, clock, weekMs)
      const modelIds = await visibleModelIds(reads, query)
      if (modelIds === null) return []
      const { limit, cursor } = query
      const before = cursor && { performedAt: cursor[0], roundId: cursor[1], modelId: cursor[2] }
      const found = await reads.predictionReports({ modelIds, from, to, before: before ?? null, limit: limit + 1 })
      const gate = await answerGate(viewer, reads, contract)
      const page = newestPage(found, limit, {
        context,
        keyOf: ({ prediction: { performedAt, roundId, modelId } }) => [performedAt, roundId, modelId],
      })
      return page.map((report) => predictionRow(report, contract, gate))
    },
)

export function predictionRow(
  report: PredictionExport,
  contract: ReportContract,
  gate: AnswerGate,
): z.input<typeof rowSchema> {
  const { prediction, score } = report
  const { output, truth, hidden_until } = answerFields(report, gate)
  const question = scopeFieldsOf(report)
  const reason = failureReason(report)
  const row = {
    id: prediction.id,
    round_id: prediction.roundId,
    model_id: prediction.modelId,
    prediction_config_id: report.scheduleKey,
    scope_key: question.scope_key,
    scope: question.scope,
    param: question.param,
    asset: question.asset,
    subject: question.subject,
    horizon: question.horizon,
    step: question.step,
    source: question.source,
    kind: question.kind,
    granularity: question.granularity,
    status: prediction.status,
    reason: prediction.reason,
    blame: prediction.blame,
    duration_ms: prediction.durationMs,
    output,
    truth,
    hidden_until,
    void_reason: report.voidReason,
    score: score === null ? null : score.value,
    score_value: numberOf(score?.value, contract.value),
    signal_value: score?.signal ?? null,
    actual_value: score?.actual ?? null,
    score_kind: score?.kind ?? null,
    // Charts show an alert if this is true and the reason is set: a prediction that waits for its truth is not a failure.
    score_failed: reason !== null,
    score_failed_reason: reason,
    /** Version of the contract's code that computed the score; `/reports/eras` shows its hash. */
    contract_version: score?.contractVersion ?? null,
    score_success: prediction.status === 'SCORED' && reason === null,
    scored_at: score === null ? null : naiveTime(score.scoredAt),
    performed_at: naiveTime(prediction.performedAt),
    resolvable_at: naiveTime(prediction.resolvableAt),
  }
  return withNumbers(row, numbersOf(contract.scoreFields, score?.value ?? {}))
}

/** Why a prediction has no score of its own; `null` while it waits and when it has one. */
function failureReason({ prediction, score }: PredictionReport): string | null {
  if (prediction.status === 'FAILED' || prediction.status === 'ABSENT') return prediction.reason ?? 'no reason recorded'
  return score === null || score.kind === 'valid' ? null : (score.reason ?? 'no reason recorded')
}
