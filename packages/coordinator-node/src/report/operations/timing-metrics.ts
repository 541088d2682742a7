import { z } from 'zod'
import { percentile } from '../../domain/statistics/percentile.ts'
import { defineRoute } from '../http/define-route.ts'
import { wholeNumberField } from '../http/query-fields.ts'
import { serveRoute } from '../http/serve-route.ts'
import { isEnsemble } from '../rows/row-fields.ts'
import { count, numberOrNull } from '../schemas/fields.ts'

/** The stages of the Python engine, which its clients read. */
const stageNames = [
  ...['feed_ingestion', 'feed_persistence', 'notify_latency', 'data_loading', 'pre_model', 'model_execution'],
  ...['post_model', 'callback_execution', 'prediction_persistence'],
] as const

const stats = {
  pct_of_total: numberOrNull.meta({ description: 'Of the mean of `end_to_end`, in percent.' }),
  count,
  ...{ mean_us: numberOrNull, median_us: numberOrNull, min_us: numberOrNull, max_us: numberOrNull },
  ...{ p95_us: numberOrNull, p99_us: numberOrNull },
}

const timingMetrics = defineRoute({
  method: 'get',
  path: '/timing-metrics',
  tag: 'Node',
  summary: 'How long the newest predictions took, in microseconds, by the stages of the Python engine.',
  description: [
    '`model_execution`: from sending a call to having its valid answer. `end_to_end`: from the instant of a round to the moment when its',
    'answers are stored; it includes the delay of the feed. This engine passes records to models before it stores them and keeps no',
    'other instants, so the other stages have the count 0 and no times. `/reports/operations` and `/metrics` show more.',
  ].join(' '),
  tier: 'read',
  extra: 'any',
  query: z.object({ limit: wholeNumberField(1_000, 10_000).meta({ description: 'Maximum number of predictions.' }) }),
  answer: z
    .object({
      enabled: z.literal(true),
      buffer_size: count.meta({ description: 'The limit of this request.' }),
      total_records: count.meta({ description: 'Predictions with a duration among the newest.' }),
      stage_latencies: z.array(
        z.object({ name: z.string(), step: z.union([z.number().int(), z.literal('total')]), ...stats }),
      ),
      recent_samples: z.array(
        z.object({
          prediction_id: z.string(),
          performed_us: z.number().int().meta({ description: 'The instant of the round, in microseconds since 1970.' }),
          model_execution_us: z.number(),
        }),
      ),
    })
    .meta({ id: 'TimingMetrics' }),
  example: { path: '/timing-metrics?limit=10' },
})

const maxSamples = 10
/** Rounds that `end_to_end` looks at. */
const maxRounds = 100
const usPerMs = 1_000

export const serveTimingMetrics = serveRoute(timingMetrics, ({ reads, contract }) => async ({ query: { limit } }) => {
  const ever = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }
  const [rows, rounds] = await Promise.all([
    reads.predictionReports({ modelIds: [], ...ever, limit }),
    reads.roundSummaries({
      ...{ ...ever, scope: {}, after: null, limit: maxRounds },
      bestBy: { field: contract.value, direction: contract.direction },
    }),
  ])
  const timed = rows.flatMap(({ prediction: { id, modelId, performedAt, reason, durationMs } }) =>
    reason !== null || durationMs === null || isEnsemble(modelId)
      ? []
      : [{ id, performedAt, us: durationMs * usPerMs }],
  )
  const total = rounds.flatMap(({ round: { performedAt, answeredAt } }) =>
    answeredAt === null ? [] : [(answeredAt - performedAt) * usPerMs],
  )
  const totalMean = meanOf(total)
  const durations = timed.map(({ us }) => us)
  return {
    enabled: true as const,
    buffer_size: limit,
    total_records: timed.length,
    stage_latencies: [
      ...stageNames.map((name, index) => ({
        ...{ name, step: index + 1 },
        ...statsOf(name === 'model_execution' ? durations : [], totalMean),
      })),
      { name: 'end_to_end', step: 'total' as const, ...statsOf(total, totalMean) },
    ],
    recent_samples: timed.slice(-maxSamples).map(({ id, performedAt, us }) => ({
      ...{ prediction_id: id, performed_us: performedAt * usPerMs, model_execution_us: us },
    })),
  }
})

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

function statsOf(values: readonly number[], totalMean: number | null) {
  const sorted = values.toSorted((one, other) => one - other)
  const mean = meanOf(sorted)
  return {
    pct_of_total: mean === null || totalMean === null || totalMean === 0 ? null : (100 * mean) / totalMean,
    count: sorted.length,
    mean_us: mean,
    ...{ median_us: percentile(sorted, 0.5), min_us: sorted[0] ?? null, max_us: sorted.at(-1) ?? null },
    ...{ p95_us: percentile(sorted, 0.95), p99_us: percentile(sorted, 0.99) },
  }
}
