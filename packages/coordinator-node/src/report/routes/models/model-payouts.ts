import { z } from 'zod'
import { fullRewardFrac64 } from '../../../domain/checkpoint.ts'
import type { ModelPayout } from '../../../ports/reads/page-reads.ts'
import { cursorField, linkNext } from '../../http/cursor.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField, limitField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { timeOrNull, zonedTime } from '../../rows/row-fields.ts'
import { textOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { checkpointStatuses, rankingRow } from '../checkpoints/checkpoint-schema.ts'
import { knownModel } from './one-model.ts'

const payoutRow = rankingRow
  .pick({ rank: true, value: true, coverage: true, reward_pct: true, unpaid_reason: true })
  .extend({
    checkpoint_id: z.string(),
    era: z.number().int(),
    period_start: zonedTimeSchema,
    period_end: zonedTimeSchema,
    status: z.enum(checkpointStatuses),
    share: z.number().min(0).max(1).meta({
      description: 'The share of the payout. The prize itself is not stored: `GET .../prizes` divides one.',
    }),
    tx_hash: textOrNull.meta({ description: 'The transaction that pays; null until the payout is confirmed.' }),
    submitted_at: zonedTimeSchema.nullable(),
  })
  .meta({ id: 'ModelPayout' })

export const modelPayouts = defineRoute({
  method: 'get',
  path: '/reports/models/{model_id}/payouts',
  params: z.object({ model_id: idField }),
  tag: 'Models',
  summary: 'What each checkpoint paid a model, and why not, newest first.',
  description:
    'Checkpoints of periods without a result of the model are left out. The header `Link` has the next page.',
  tier: 'read',
  errors: [404],
  query: z.object({ limit: limitField(50, 500), cursor: cursorField(z.tuple([z.int()])) }),
  answer: z.array(payoutRow),
  example: { path: '/reports/models/oracle/payouts?limit=1' },
})

export const serveModelPayouts = serveRoute(modelPayouts, ({ reads }) => async ({ params, query, context }) => {
  const { id } = await knownModel(reads, params.model_id)
  const before = query.cursor?.[0] ?? Number.POSITIVE_INFINITY
  const found = await reads.modelPayouts({ modelId: id, before, limit: query.limit + 1 })
  const page = found.slice(0, query.limit)
  const last = found.length > query.limit ? page.at(-1) : undefined
  if (last !== undefined) linkNext(context, [last.checkpoint.periodEnd])
  return page.map(rowOf)
})

function rowOf({ checkpoint, entry }: ModelPayout): z.input<typeof payoutRow> {
  return {
    checkpoint_id: checkpoint.id,
    era: checkpoint.era,
    period_start: zonedTime(checkpoint.periodStart),
    period_end: zonedTime(checkpoint.periodEnd),
    status: checkpoint.status,
    rank: entry.rank,
    value: entry.value,
    coverage: entry.coverage,
    share: entry.rewardFrac64 / fullRewardFrac64,
    reward_pct: entry.rewardFrac64,
    unpaid_reason: entry.unpaidReason,
    tx_hash: checkpoint.transactionId,
    submitted_at: timeOrNull(checkpoint.submittedAt),
  }
}
