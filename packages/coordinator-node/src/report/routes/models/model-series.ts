import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { boardScores } from '../../rows/board-scores.ts'
import { naiveTime, withNumbers } from '../../rows/row-fields.ts'
import { seriesEnds, seriesQuery, seriesSpan } from '../../rows/series-points.ts'
import { snapshotSummary } from '../../rows/snapshot-summary.ts'
import { count, naiveTime as naiveTimeSchema, numberOrNull, scoredRow } from '../../schemas/fields.ts'
import { scoreMetrics, scoreRanking } from '../leaderboard/leaderboard-schema.ts'

/** A number for each score field and metric. */
const summaryFields = {
  model_id: z.string(),
  performed_at: naiveTimeSchema,
  prediction_count: count,
  value: numberOrNull.meta({ description: 'The mean of the field by which models are ranked.' }),
}

const shared = { method: 'get', tag: 'Models', tier: 'public', extra: 'charts' } as const

export const modelsGlobal = defineRoute({
  ...shared,
  path: '/reports/models/global',
  summary: 'The windows and metrics of each model over time: one row per model and leaderboard, oldest first.',
  description: 'Models without a score in any window have no row. Default: the week before `end`.',
  query: seriesQuery,
  answer: z.array(
    scoredRow({
      model_id: z.string(),
      performed_at: naiveTimeSchema,
      score_metrics: scoreMetrics,
      score_ranking: scoreRanking,
    }).meta({ id: 'ModelScores' }),
  ),
  example: { path: '/reports/models/global?projectIds=oracle&points=2' },
})

export const serveModelsGlobal = serveRoute(modelsGlobal, (report) => async ({ query }) => {
  const { reads, contract } = report
  const span = await seriesSpan(report, query)
  if (span === null) return []
  const boards = await reads.leaderboardsAt(await seriesEnds(report, span), span.modelIds)
  return boards.flatMap((board) =>
    board.entries
      .filter(({ windows }) => Object.values(windows).some((value) => value !== null))
      .map((entry) => {
        const { scores, ranking } = boardScores(entry, board, contract)
        const row = { model_id: entry.modelId, performed_at: naiveTime(board.asOf) }
        return withNumbers({ ...row, score_metrics: scores, score_ranking: ranking }, scores)
      }),
  )
})

export const modelsMetrics = defineRoute({
  ...shared,
  path: '/reports/models/metrics',
  summary: 'The metrics of each model over time: one row per model and snapshot, oldest first.',
  description: 'Default: the week before `end`.',
  query: seriesQuery,
  answer: z.array(scoredRow(summaryFields).meta({ id: 'ModelMetrics' })),
  example: { path: '/reports/models/metrics?projectIds=oracle&points=2' },
})

export const serveModelsMetrics = serveRoute(modelsMetrics, (report) => async ({ query }) => {
  const { reads, contract } = report
  const span = await seriesSpan(report, query)
  if (span === null) return []
  const found = await reads.snapshotsAt(await seriesEnds(report, span), span.modelIds)
  return found.map((snapshot) => summaryRow(snapshot, contract))
})

export const modelsSummary = defineRoute({
  ...shared,
  path: '/reports/models/summary',
  summary: 'The metrics of each model in its newest snapshot of a range.',
  description: 'Models without one have no row. Default: the week before `end`.',
  query: seriesQuery.omit({ points: true }),
  answer: z.array(scoredRow(summaryFields).meta({ id: 'ModelSummary' })),
  example: { path: '/reports/models/summary?projectIds=oracle,trend' },
})

export const serveModelsSummary = serveRoute(modelsSummary, (report) => async ({ query }) => {
  const span = await seriesSpan(report, { ...query, points: 1 })
  if (span === null) return []
  const found = await report.reads.newestSnapshots(span)
  return found.map((snapshot) => summaryRow(snapshot, report.contract))
})

function summaryRow(snapshot: Parameters<typeof snapshotSummary>[0], contract: Parameters<typeof snapshotSummary>[1]) {
  const summary = snapshotSummary(snapshot, contract)
  const row = {
    model_id: snapshot.modelId,
    performed_at: naiveTime(snapshot.periodEnd),
    prediction_count: snapshot.scoreCount,
    // A score field named `value` that models are not ranked by keeps its place.
    value: summary[Object.hasOwn(summary, 'value') ? 'value' : contract.value] ?? null,
  }
  return withNumbers(row, summary)
}
