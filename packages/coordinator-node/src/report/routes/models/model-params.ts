import { z } from 'zod'
import { groupBy } from '../../../domain/group-by.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ScoreSum } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { naiveTime, windowKey, withNumbers } from '../../rows/row-fields.ts'
import { scopeFieldsOf } from '../../rows/scope-fields.ts'
import { type SeriesSpan, seriesQuery, seriesSpan } from '../../rows/series-points.ts'
import { naiveTime as naiveTimeSchema, scoredRow } from '../../schemas/fields.ts'
import { questionFields } from '../../schemas/question.ts'
import { scoreMetrics } from '../leaderboard/leaderboard-schema.ts'

export const modelsParams = defineRoute({
  method: 'get',
  path: '/reports/models/params',
  tag: 'Models',
  summary: 'The windows of each model over time for each kind of question: one row per model, question and interval.',
  description:
    'Each window is the mean of the scores whose truth became known within it, imputed scores included. Default: the week before `end`.',
  tier: 'public',
  extra: 'charts',
  query: seriesQuery,
  answer: z.array(
    scoredRow({
      model_id: z.string(),
      performed_at: naiveTimeSchema,
      ...questionFields,
      score_metrics: scoreMetrics,
    }).meta({ id: 'ModelScoresByQuestion' }),
  ),
  example: { path: '/reports/models/params?projectIds=oracle&points=2' },
})

export const serveModelsParams = serveRoute(modelsParams, (report) => async ({ query }) => {
  const { reads, contract } = report
  const span = await seriesSpan(report, query)
  if (span === null) return []
  const cellMs = cellLength(span, contract)
  const longestMs = Math.max(...Object.values(contract.windowMs))
  const { modelIds, from, to } = span
  // The first point needs the scores of a whole window before it.
  const sums = await reads.scoreSums({ modelIds, from: from - longestMs, to, cellMs, field: contract.value })
  return [...groupBy(sums, questionKey).values()]
    .flatMap((cells) => rollingRows(cells, contract, span))
    .sort((one, other) => one.at - other.at)
    .map(({ row }) => row)
})

/** A whole number of snapshot periods, so long that a series has at most `points` cells. */
function cellLength({ from, to, points }: SeriesSpan, { snapshotEveryMs }: ReportContract): number {
  return Math.max(1, Math.ceil((to - from) / points / snapshotEveryMs)) * snapshotEveryMs
}

function questionKey({ modelId, scheduleKey, scope, horizonMs, stepMs }: ScoreSum): string {
  return JSON.stringify([modelId, scheduleKey, scope, horizonMs, stepMs])
}

/** @param cells of one model and question, oldest first */
function rollingRows(cells: readonly ScoreSum[], contract: ReportContract, { from, to }: SeriesSpan) {
  return cells
    .filter(({ cellEnd }) => cellEnd > from)
    .map((cell) => {
      const scores = Object.fromEntries(
        contract.windows.map((name) => [
          windowKey(name),
          meanBefore(cells, cell.cellEnd, contract.windowMs[name] ?? 0),
        ]),
      )
      const at = Math.min(cell.cellEnd, to)
      const row = { model_id: cell.modelId, performed_at: naiveTime(at), ...scopeFieldsOf(cell), score_metrics: scores }
      return { at, row: withNumbers(row, scores) }
    })
}

function meanBefore(cells: readonly ScoreSum[], end: Instant, lengthMs: number): number | null {
  let [sum, count] = [0, 0]
  for (const cell of cells) {
    if (cell.cellEnd > end || cell.cellEnd <= end - lengthMs) continue
    sum += cell.sum
    count += cell.count
  }
  return count === 0 ? null : sum / count
}
