import { z } from 'zod'
import { cursorField, newestPage } from '../../http/cursor.ts'
import { defineRoute } from '../../http/define-route.ts'
import { checkRange, idField, limitField, rangeFields, rowIdField } from '../../http/query-fields.ts'
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
  description:
    'Needs the key of the owner or of an admin. `since` may be up to 7 days ago; default: a day ago. The next page has older ones.',
  tier: 'owner',
  params: z.object({ model_id: idField }),
  query: z.object({
    ...rangeFields,
    limit: limitField(100, 1_000),
    cursor: cursorField(z.tuple([z.int(), rowIdField])),
  }),
  errors: [404],
  answer: z.array(failureRow),
  example: { path: '/reports/models/broken/failures' },
})

export const serveModelFailures = serveRoute(modelFailures, (report) => async ({ params, query, viewer, context }) => {
  const { reads, clock } = report
  const { id } = await ownedModel(reads, viewer, params.model_id)
  const now = await clock.refresh()
  const since = query.since ?? query.start ?? now - dayMs
  const until = query.until ?? query.end
  const name = query.since === undefined && query.start !== undefined ? 'start' : 'since'
  checkRange(now - maxSpanMs, since, name, 'must not be more than 7 days ago')
  checkRange(since, until ?? since, name)
  const { limit, cursor } = query
  const before = cursor === undefined ? null : { performedAt: cursor[0], roundId: cursor[1] }
  const found = await reads.modelFailures({ modelId: id, since, until, before, limit: limit + 1 })
  const page = newestPage(found, limit, { context, keyOf: ({ performedAt, roundId }) => [performedAt, roundId] })
  return page.map((failure) => ({
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
