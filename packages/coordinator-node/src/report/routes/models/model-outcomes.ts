import { z } from 'zod'
import type { ModelOutcomes, OutcomeCount } from '../../../ports/reads/page-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { checkRange, idField, instantField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { count, textOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { knownModel } from './one-model.ts'

const dayMs = 86_400_000
/** The cost grows with the span. */
const maxSpanMs = 31 * dayMs

const outcome = z
  .object({
    status: z
      .enum(['PENDING', 'SCORED', 'FAILED', 'ABSENT'])
      .meta({ description: 'PENDING: a valid answer whose truth is not known yet.' }),
    reason: textOrNull.meta({ description: 'Why the answer is missing or invalid, or counts for nothing.' }),
    blame: z.enum(['model', 'coordinator']).nullable().meta({ description: 'Who caused it.' }),
    count,
  })
  .meta({ id: 'Outcome' })

const milliseconds = z.number().meta({ description: 'In milliseconds.' })

export const modelOutcomes = defineRoute({
  method: 'get',
  path: '/reports/models/{model_id}/outcomes',
  params: z.object({ model_id: idField }),
  tag: 'Models',
  summary: "What became of a model's answers, per day and in total, with reason and blame, and how long they took.",
  description: 'A range of up to 31 days of `performed_at`; default: the 7 days before `until`. Days are UTC.',
  tier: 'public',
  errors: [404],
  query: z.object({ since: instantField, until: instantField }),
  answer: z
    .object({
      model_id: z.string(),
      since: zonedTimeSchema,
      until: zonedTimeSchema,
      total: z.array(outcome),
      days: z
        .array(z.object({ day: z.string().meta({ examples: ['2026-03-01'] }), outcomes: z.array(outcome) }))
        .meta({ description: 'Oldest first; days without an answer are left out.' }),
      latency_quantiles: z
        .object({
          ...{ p5: milliseconds, p25: milliseconds, p50: milliseconds, p75: milliseconds, p95: milliseconds },
          ...{ p99: milliseconds, max: milliseconds },
        })
        .nullable()
        .meta({ description: 'Of valid answers, in milliseconds; null without one.' }),
    })
    .meta({ id: 'ModelOutcomes' }),
  example: { path: '/reports/models/broken/outcomes' },
})

export const serveModelOutcomes = serveRoute(modelOutcomes, ({ reads, clock }) => async ({ params, query }) => {
  const to = query.until ?? (await clock.refresh())
  const from = query.since ?? to - 7 * dayMs
  checkRange(from, to, 'since')
  checkRange(to - maxSpanMs, from, 'since', 'must not be more than 31 days before the end of the range')
  const { id } = await knownModel(reads, params.model_id)
  const { counts, latencyMs } = await reads.modelOutcomes({ modelId: id, from, to, cellMs: dayMs })
  const days = [...new Set(counts.map(({ cellStart }) => cellStart))]
  return {
    model_id: id,
    since: zonedTime(from),
    until: zonedTime(to),
    total: totalOf(counts),
    days: days.map((day) => ({
      day: zonedTime(day).slice(0, 10),
      outcomes: counts.filter(({ cellStart }) => cellStart === day).map(outcomeRow),
    })),
    latency_quantiles: latencyRow(latencyMs),
  }
})

/** The most frequent first. */
function totalOf(counts: readonly OutcomeCount[]) {
  const totals = new Map<string, OutcomeCount>()
  for (const one of counts) {
    const key = JSON.stringify([one.status, one.reason, one.blame])
    totals.set(key, { ...one, count: (totals.get(key)?.count ?? 0) + one.count })
  }
  return [...totals.values()].sort((one, other) => other.count - one.count).map(outcomeRow)
}

function outcomeRow({ status, reason, blame, count }: OutcomeCount): z.input<typeof outcome> {
  return { status, reason, blame, count }
}

function latencyRow(latencyMs: ModelOutcomes['latencyMs']) {
  if (latencyMs === null) return null
  const [p5, p25, p50, p75, p95, p99, max] = latencyMs as [number, number, number, number, number, number, number]
  return { p5, p25, p50, p75, p95, p99, max }
}
