import { z } from 'zod'
import { fullRewardFrac64 } from '../../../domain/checkpoint.ts'
import { defineRoute } from '../../http/define-route.ts'
import { chartFields, checkRange, idField, limitField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { naiveTime, withNumbers } from '../../rows/row-fields.ts'
import { count, naiveTime as naiveTimeSchema, numberOrNull, scoredRow, textOrNull } from '../../schemas/fields.ts'

export const rewards = defineRoute({
  method: 'get',
  path: '/reports/checkpoints/rewards',
  tag: 'Checkpoints',
  summary: 'What each model was paid: one row per model and checkpoint, oldest first, by rank.',
  description: '`limit` counts checkpoints, the newest ones. A chart series, so its times have no zone.',
  tier: 'public',
  extra: 'charts',
  query: z.object({
    ...chartFields,
    model_id: z.union([z.literal(''), idField]).optional(),
    limit: limitField(20, 100),
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

export const serveRewards = serveRoute(rewards, ({ reads, contract }) => async ({ query }) => {
  const { start = Number.NEGATIVE_INFINITY, end = Number.POSITIVE_INFINITY } = query
  checkRange(start, end, 'start')
  const wanted = new Set(query.model_id ? [...query.projectIds, query.model_id] : query.projectIds)
  const [newest, models] = await Promise.all([reads.checkpoints({ limit: query.limit }), reads.models()])
  const names = new Map(models.map(({ id, name }) => [id, name]))
  return newest
    .filter(({ periodEnd }) => periodEnd >= start && periodEnd <= end)
    .reverse()
    .flatMap((checkpoint) =>
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
