import type { Hono } from 'hono'
import { z } from 'zod'
import type { Model } from '../domain/models/model.ts'
import type { ModelActivity } from '../ports/report-reads.ts'
import { jsonResponse } from './json-response.ts'
import { checkRange, instantField, readQuery } from './query-fields.ts'
import type { ReportContext } from './report-context.ts'
import { timeOrNull, zonedTime } from './row-fields.ts'

const dayMs = 86_400_000
/** The cost grows with the span, and older results say little about a model's current state. */
const maxSpanMs = 7 * dayMs
const querySchema = z.object({ since: instantField })

/**
 * Recent answers of each model: counts by status and by reason, latency of valid answers, the last problem. Includes models
 * without predictions. Details help the models' authors and reveal nothing about other predictions.
 */
export function addModelActivityRoute(app: Hono, { reads, clock }: ReportContext): void {
  app.get('/reports/models/activity', async (context) => {
    const query = readQuery(context, querySchema)
    const now = await clock.refresh()
    const since = query.since ?? now - dayMs
    checkRange(now - maxSpanMs, since, 'since', 'must not be more than 7 days ago')
    const [models, activities] = await Promise.all([reads.models(), reads.modelActivity(since)])
    const byId = new Map(activities.map((activity) => [activity.modelId, activity]))
    return jsonResponse(
      context,
      models.map((model) => activityRow(model, since, byId.get(model.id))),
    )
  })
}

function activityRow(model: Model, since: number, activity: ModelActivity | undefined) {
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
    last_problem: lastProblem === null ? null : { ...lastProblem, at: zonedTime(lastProblem.at) },
  }
}
