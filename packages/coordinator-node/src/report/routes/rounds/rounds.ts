import { z } from 'zod'
import { roundState, roundStates } from '../../../domain/round.ts'
import type { RoundSummary } from '../../../ports/reads/page-reads.ts'
import { cursorField, linkNext } from '../../http/cursor.ts'
import { defineRoute } from '../../http/define-route.ts'
import { checkRange, idField, instantField, limitField, rowIdField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { timeOrNull } from '../../rows/row-fields.ts'
import { count, zonedTime } from '../../schemas/fields.ts'
import { listedFields, roundRow } from './one-round.ts'

/** Of one answer: each row counts the answers of all models. */
const maxAnswers = 100_000

const listedRound = roundRow
  .omit({ input: true })
  .extend({
    state: z.enum(roundStates).meta({
      description: 'open: its truth is not known yet. resolved: it is. void: it stayed unknown, with `void_reason`.',
    }),
    settled_at: zonedTime.nullable().meta({
      description:
        'When its answers were scored. UTC, with Z. Null without a score: for a void round no time is stored.',
    }),
    answers: z
      .object({ PENDING: count, SCORED: count, FAILED: count, ABSENT: count })
      .meta({ description: 'Number of predictions by status. PENDING: a valid answer whose truth is not known yet.' }),
    best_model: z
      .object({ model_id: z.string(), model_name: z.string().nullable(), value: z.number() })
      .nullable()
      .meta({ description: 'The best valid score of the ranking field, by id among equal ones; null without one.' }),
  })
  .meta({ id: 'ListedRound' })

const part = idField.optional()

export const rounds = defineRoute({
  method: 'get',
  path: '/reports/rounds',
  tag: 'Rounds',
  summary: 'Rounds, newest first, with what became of their answers.',
  description: `The header \`Link\` has the next page. An answer has fewer than \`limit\` rounds if these have more than ${maxAnswers} answers. \`GET /reports/rounds/{round_id}\` has the input and the answers.`,
  tier: 'read',
  query: z.object({
    state: z
      .enum(roundStates, `must be one of ${roundStates.join(', ')}`)
      .optional()
      .meta({ description: 'Default: all.' }),
    source: part,
    subject: part,
    kind: part,
    granularity: part,
    prediction_config_id: part.meta({ description: 'The key of the schedule.' }),
    since: instantField.meta({ description: 'The least `performed_at`.' }),
    until: instantField.meta({ description: 'The greatest `performed_at`.' }),
    limit: limitField(50, 500),
    cursor: cursorField(z.tuple([z.int(), rowIdField])),
  }),
  answer: z.array(listedRound),
  example: { path: '/reports/rounds?state=resolved&limit=1' },
})

export const serveRounds = serveRoute(rounds, ({ reads, contract }) => async ({ query, context }) => {
  const { since: from = Number.NEGATIVE_INFINITY, until: to = Number.POSITIVE_INFINITY, cursor } = query
  checkRange(from, to, 'since')
  const { source, subject, kind, granularity } = query
  const models = await reads.models()
  const limit = Math.min(query.limit, Math.max(1, Math.floor(maxAnswers / Math.max(1, models.length))))
  const found = await reads.roundSummaries({
    ...{ from, to, state: query.state, scheduleKey: query.prediction_config_id },
    scope: { source, subject, kind, granularity },
    after: cursor === undefined ? null : { performedAt: cursor[0], id: cursor[1] },
    limit: limit + 1,
    bestBy: { field: contract.value, direction: contract.direction },
  })
  const page = found.slice(0, limit)
  const last = found.length > limit ? page.at(-1) : undefined
  if (last !== undefined) linkNext(context, [last.round.performedAt, last.round.id])
  const names = new Map(models.map(({ id, name }) => [id, name]))
  return page.map((summary) => rowOf(summary, names))
})

function rowOf(
  { round, counts, scoredAt, best }: RoundSummary,
  names: ReadonlyMap<string, string>,
): z.input<typeof listedRound> {
  return {
    ...listedFields(round),
    state: roundState(round),
    settled_at: timeOrNull(scoredAt),
    answers: counts,
    best_model:
      best === null ? null : { model_id: best.modelId, model_name: names.get(best.modelId) ?? null, value: best.value },
  }
}
