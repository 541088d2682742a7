import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import { readPredictionId } from '../../../domain/ids.ts'
import type { Round } from '../../../domain/round.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import type { PredictionExport } from '../../../ports/store-exports.ts'
import { defineRoute } from '../../http/define-route.ts'
import { rowIdField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { answerGate } from '../../rows/hidden-answers.ts'
import { predictionRow as rowSchema } from './prediction-schema.ts'
import { predictionRow } from './predictions.ts'

export const onePrediction = defineRoute({
  method: 'get',
  path: '/reports/predictions/{prediction_id}',
  // An id contains that of its model, escaped.
  params: z.object({ prediction_id: rowIdField }),
  tag: 'Predictions',
  summary: 'One prediction.',
  tier: 'read',
  errors: [404],
  answer: rowSchema,
  example: { path: '/reports/predictions/PRE_oracle_INP_BTCUSDT-5m_20260301_110000.000' },
})

export const serveOnePrediction = serveRoute(onePrediction, ({ reads, contract }) => async ({ params, viewer }) => {
  const { report } = await knownPrediction(reads, params.prediction_id)
  return predictionRow(report, contract, await answerGate(viewer, reads, contract))
})

export interface KnownPrediction {
  readonly round: Round
  readonly report: PredictionExport
}

/** Rejects with NOT_FOUND. */
export async function knownPrediction(reads: Pick<ReportReads, 'roundReport'>, id: string): Promise<KnownPrediction> {
  const key = readPredictionId(id)
  const found = key === null ? null : await reads.roundReport(key.roundId, key.modelId)
  const report = found?.predictions[0]
  if (found !== null && report !== undefined) return { round: found.round, report }
  const cause = key === null ? 'that is no id of a prediction' : `model ${key.modelId} has none in ${key.roundId}`
  throw new CrunchError(
    'NOT_FOUND',
    `There is no prediction ${id}: ${cause}; GET /reports/predictions lists the newest ones.`,
  )
}
