import { z } from 'zod'
import type { Model } from '../../../domain/models/model.ts'
import type { ModelActivity } from '../../../ports/reads/report-reads.ts'
import { maySeeDiagnostics } from '../../access/viewer.ts'
import { defineRoute } from '../../http/define-route.ts'
import { checkRange, instantField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { timeOrNull, zonedTime } from '../../rows/row-fields.ts'
import { activityRow as rowSchema } from './model-schema.ts'
import { modelPage, modelPageFields } from './models.ts'

const dayMs = 86_400_000
/** The cost grows with the span, and older results say little about a model's current state. */
const maxSpanMs = 7 * dayMs

export const modelActivity = defineRoute({
  method: 'get',
  path: '/reports/models/activity',
  tag: 'Models',
  summary: 'Recent answers of each model: counts by status and reason, latency of valid answers, the last problem.',
  description: 'Models without predictions are included. `since` may be up to 7 days ago; default: a day ago.',
  tier: 'public',
  extra: 'charts',
  query: z.object({ since: instantField, ...modelPageFields }),
  answer: z.array(rowSchema),
  example: { path: '/reports/models/activity' },
})

export const serveModelActivity = serveRoute(
  modelActivity,
  ({ reads, clock }) =>
    async ({ query, viewer, context }) => {
      const now = await clock.refresh()
      const since = query.since ?? now - dayMs
      checkRange(now - maxSpanMs, since, 'since', 'must not be more than 7 days ago')
      const [models, activities] = await Promise.all([reads.models(), reads.modelActivity(since)])
      const byId = new Map(activities.map((activity) => [activity.modelId, activity]))
      return modelPage(models, query, context).map((model) =>
        activityRow(model, since, byId.get(model.id), maySeeDiagnostics(viewer, model)),
      )
    },
)

function activityRow(
  model: Model,
  since: number,
  activity: ModelActivity | undefined,
  seesDetail: boolean,
): z.input<typeof rowSchema> {
  const { latency = null, lastPredictionAt = null, lastAnswerAt = null, lastProblem = null } = activity ?? {}
  return {
    model_id: model.id,
    model_name: model.name,
    since: zonedTime(since),
    counts: activity?.counts ?? { PENDING: 0, SCORED: 0, FAILED: 0, ABSENT: 0 },
    reasons: activity?.reasons ?? {},
    latency_ms: latency === null ? null : { p50: latency.p50Ms, p95: latency.p95Ms, max: latency.maxMs },
    last_prediction_at: timeOrNull(lastPredictionAt),
    last_answer_at: timeOrNull(lastAnswerAt),
    last_problem:
      lastProblem === null
        ? null
        : { ...lastProblem, detail: seesDetail ? lastProblem.detail : null, at: zonedTime(lastProblem.at) },
  }
}
