import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { chartFields, idField, limitField, readRange } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { isEnsemble, naiveTime, withNumbers } from '../../rows/row-fields.ts'
import { snapshotSummary } from '../../rows/snapshot-summary.ts'
import { count, naiveTime as naiveTimeSchema, scoredRow } from '../../schemas/fields.ts'
import { snapshotCursor, snapshotPage } from './snapshots.ts'

export const ensembleHistory = defineRoute({
  method: 'get',
  path: '/reports/ensemble/history',
  tag: 'Snapshots',
  summary: 'The newest snapshots of the ensembles, oldest first; empty without ensembles.',
  description: 'The next page has older ones.',
  tier: 'public',
  extra: 'charts',
  query: z.object({
    ...chartFields,
    ensemble_name: idField.optional(),
    limit: limitField(100, 500),
    cursor: snapshotCursor,
  }),
  answer: z.array(
    scoredRow({
      ensemble_name: z.string(),
      model_id: z.string(),
      period_start: naiveTimeSchema,
      period_end: naiveTimeSchema,
      performed_at: naiveTimeSchema.meta({ description: 'The same as `period_end`, without Z.' }),
      prediction_count: count,
    }).meta({ id: 'EnsembleSnapshot' }),
  ),
  example: { path: '/reports/ensemble/history' },
})

export const serveEnsembleHistory = serveRoute(
  ensembleHistory,
  ({ reads, contract, clock }) =>
    async ({ query, context }) => {
      const { from, to } = await readRange(query, clock)
      const wanted = query.ensemble_name === undefined ? undefined : `__ensemble_${query.ensemble_name}__`
      const ids = (await reads.models()).map(({ id }) => id).filter((id) => isEnsemble(id) && (wanted ?? id) === id)
      // An empty list would mean all models.
      if (ids.length === 0) return []
      const { cursor, limit } = query
      const found = await snapshotPage(reads, { modelIds: ids, from, to, cursor, limit }, context)
      return found.map((snapshot) => {
        const row = {
          ensemble_name: snapshot.modelId.slice('__ensemble_'.length, -'__'.length),
          model_id: snapshot.modelId,
          period_start: naiveTime(snapshot.periodStart),
          period_end: naiveTime(snapshot.periodEnd),
          performed_at: naiveTime(snapshot.periodEnd),
          prediction_count: snapshot.scoreCount,
        }
        return withNumbers(row, snapshotSummary(snapshot, contract))
      })
    },
)
