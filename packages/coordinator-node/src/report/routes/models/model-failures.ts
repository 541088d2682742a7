import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { checkRange, idField, instantField, limitField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { numberOrNull, textOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { blame, predictionStatus } from './model-schema.ts'
import { ownedModel } from './owned-model.ts'

const dayMs = 86_400_000
/** The cost grows with the span. */
const maxSpanMs = 7 * dayMs

const failureRow = z
  .object({
    model_id: z.string(),
    round_id: z.string(),
    performed_at: zonedTimeSchema,
    status: predictionStatus,
    reason: textOrNull,
    blame: blame.nullable(),
    detail: textOrNull.meta({ description: 'The reason in words, such as the error of the model.' }),
    duration_ms: numberOrNull,
  })
  .meta({ id: 'ModelFailure' })

export const modelFailures = defineRoute({
  method: 'get',
  path: '/reports/models/{model_id}/failures',
  tag: 'Models',
  summary: 'The newest missing and invalid answers of one model, oldest first, for its owner.',
  description: 'Needs the key of the owner or of an admin. `since` may be up to 7 days ago; default: a day ago.',
  tier: 'owner',
  params: z.object({ model_id: idField }),
  query: z.object({ since: instantField, limit: limitField(100, 1_000) }),
  errors: [404],
  answer: z.array(failureRow),
  example: { path: '/reports/models/broken/failures' },
})

export const serveModelFailures = serveRoute(modelFailures, ({ reads, clock }) => async ({ params, query, viewer }) => {
  const { id } = await ownedModel(reads, viewer, params.model_id)
  const now = await clock.refresh()
  const since = query.since ?? now - dayMs
  checkRange(now - maxSpanMs, since, 'since', 'must not be more than 7 days ago')
  const failures = await reads.modelFailures({ modelId: id, since, limit: query.limit })
  return failures.map((failure) => ({
    model_id: id,
    round_id: failure.roundId,
    performed_at: zonedTime(failure.performedAt),
    status: failure.status,
    reason: failure.reason,
    blame: failure.blame,
    detail: failure.detail,
    duration_ms: failure.durationMs,
  }))
})
