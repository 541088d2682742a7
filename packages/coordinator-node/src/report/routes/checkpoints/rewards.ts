import { z } from 'zod'
import { fullRewardFrac64 } from '../../../domain/checkpoint.ts'
import { defineRoute } from '../../http/define-route.ts'
import { chartFields, idField, limitField, readRange } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { naiveTime, withNumbers } from '../../rows/row-fields.ts'
import { count, naiveTime as naiveTimeSchema, numberOrNull, scoredRow, textOrNull } from '../../schemas/fields.ts'
import { checkpointCursor, checkpointPage, maxEntries } from './checkpoints.ts'

export const rewards = defineRoute({
  method: 'get',
  path: '/reports/checkpoints/rewards',
  tag: 'Checkpoints',
  summary: 'What each model was paid: one row per model and checkpoint, oldest first, by rank.',
  description: `\`limit\` counts checkpoints, the newest ones of the range; an answer has fewer if these have more than ${maxEntries} models. The next page has older ones. A chart series, so its times have no zone.`,
  tier: 'public',
  extra: 'charts',
  query: z.object({
    ...chartFields,
    model_id: z.union([z.literal(''), idField]).optional(),
    limit: limitField(20, 100),
    cursor: checkpointCursor,
  }),
  answer: z.array(
    scoredRow({
      checkpoint_id: z.string(),
      period_start: naiveTimeSchema,
      period_end: naiveTimeSchema,
      performed_at: naiveTimeSchema.meta({ description: 'The same as `period_end`, without Z.' }),
      model_id: z.string(),
      model_name: textOrNull,
      rank: z.number().int().nullable().meta({ description: 'Among the payable models; null for others.' }),
      reward_pct: z.number().meta({ description: 'In percent.' }),
      prediction_count: count,
      value: numberOrNull,
      unpaid_reason: textOrNull,
    }).meta({ id: 'Reward' }),
  ),
  example: { path: '/reports/checkpoints/rewards?limit=1' },
})

export const serveRewards = serveRoute(rewards, ({ reads, contract }) => async ({ query, context }) => {
  // A checkpoint of the future cannot exist, so no clock is needed.
  const { from, to } = await readRange(query, { refresh: async () => Number.POSITIVE_INFINITY })
  const wanted = new Set(query.model_id ? [...query.projectIds, query.model_id] : query.projectIds)
  const filter = { from, to, before: query.cursor?.[0], limit: query.limit }
  const [newest, models] = await Promise.all([checkpointPage(reads, filter, context), reads.models()])
  const names = new Map(models.map(({ id, name }) => [id, name]))
  return [...newest].reverse().flatMap((checkpoint) =>
    checkpoint.entries
      .filter(({ modelId }) => wanted.size === 0 || wanted.has(modelId))
      .map((entry) => {
        const row = {
          checkpoint_id: checkpoint.id,
          period_start: naiveTime(checkpoint.periodStart),
          period_end: naiveTime(checkpoint.periodEnd),
          performed_at: naiveTime(checkpoint.periodEnd),
          model_id: entry.modelId,
          model_name: names.get(entry.modelId) ?? null,
          rank: entry.rank,
          reward_pct: entry.rewardFrac64 / (fullRewardFrac64 / 100),
          prediction_count: entry.scoreCount,
          value: entry.value,
          unpaid_reason: entry.unpaidReason,
        }
        return withNumbers(row, { [contract.value]: entry.value })
      }),
  )
})
