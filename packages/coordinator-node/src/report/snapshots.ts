import type { Hono } from 'hono'
import { z } from 'zod'
import { coverageOf } from '../domain/models/coverage.ts'
import { type Snapshot, snapshotMeans } from '../domain/snapshot.ts'
import { jsonResponse } from './json-response.ts'
import { chartFields, checkRange, instantField, limitField, readQuery } from './query-fields.ts'
import type { ReportContext, ReportContract } from './report-context.ts'
import { naiveTime, numbersOf } from './row-fields.ts'
import { visibleModelIds } from './visible-models.ts'

const querySchema = z.object({
  ...chartFields,
  model_id: z.string().max(200, 'must have at most 200 characters').optional(),
  since: instantField,
  until: instantField,
  limit: limitField(100, 1_000),
})

/** The newest snapshots of a range, oldest first: a model's score over time. `since`/`until` beat `start`/`end`. */
export function addSnapshotsRoute(app: Hono, { reads, contract, clock }: ReportContext): void {
  app.get('/reports/snapshots', async (context) => {
    const query = readQuery(context, querySchema)
    const to = query.until ?? query.end ?? (await clock.refresh())
    const from = query.since ?? query.start ?? 0
    checkRange(from, to, query.since === undefined ? 'start' : 'since')
    const projectIds = query.model_id ? [...query.projectIds, query.model_id] : query.projectIds
    const modelIds = await visibleModelIds(reads, { ...query, projectIds })
    if (modelIds === null) return jsonResponse(context, [])
    const snapshots = await reads.snapshotReports({ modelIds, from, to, limit: query.limit })
    return jsonResponse(
      context,
      snapshots.map((snapshot) => snapshotRow(snapshot, contract)),
    )
  })
}

function snapshotRow(snapshot: Snapshot, contract: ReportContract) {
  const means = snapshotMeans(snapshot)
  const summary = {
    ...numbersOf([...new Set([...contract.metrics, ...Object.keys(snapshot.metrics)])], snapshot.metrics),
    ...numbersOf([...new Set([...contract.scoreFields, ...Object.keys(means)])], means),
  }
  return {
    // First, so that no score field can take the place of a column that every competition has.
    ...summary,
    id: snapshot.id,
    model_id: snapshot.modelId,
    period_start: naiveTime(snapshot.periodStart),
    period_end: naiveTime(snapshot.periodEnd),
    performed_at: naiveTime(snapshot.periodEnd),
    created_at: naiveTime(snapshot.periodEnd),
    prediction_count: snapshot.scoreCount,
    due_count: snapshot.dueCount,
    answered_count: snapshot.validCount,
    round_count: snapshot.roundCount - snapshot.excusedCount,
    coverage: coverageOf(snapshot),
    result_summary: summary,
  }
}
