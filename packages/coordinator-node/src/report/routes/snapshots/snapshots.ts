import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import { coverageOf } from '../../../domain/models/coverage.ts'
import type { Snapshot } from '../../../domain/snapshot.ts'
import type { ReportReads, SnapshotFilter } from '../../../ports/reads/report-reads.ts'
import { cursorField, newestPage } from '../../http/cursor.ts'
import { defineRoute } from '../../http/define-route.ts'
import { chartFields, idField, limitField, readRange, rowIdField } from '../../http/query-fields.ts'
import { type ReportRequest, serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { naiveTime, withNumbers } from '../../rows/row-fields.ts'
import { snapshotSummary } from '../../rows/snapshot-summary.ts'
import { visibleModelIds } from '../../rows/visible-models.ts'
import { count, naiveTime as naiveTimeSchema, numberOrNull, scoredRow } from '../../schemas/fields.ts'

const rowSchema = scoredRow({
  id: z.string(),
  model_id: z.string(),
  period_start: naiveTimeSchema,
  period_end: naiveTimeSchema,
  performed_at: naiveTimeSchema.meta({ description: 'The same as `period_end`, without Z.' }),
  created_at: naiveTimeSchema.meta({ description: 'The same as `period_end`, without Z.' }),
  prediction_count: count.meta({ description: 'Scores that count: valid and imputed.' }),
  due_count: count,
  answered_count: count.meta({ description: 'Rounds with a valid score.' }),
  round_count: count,
  coverage: numberOrNull,
  result_summary: z
    .record(z.string(), numberOrNull)
    .meta({ description: 'Means of the score fields and the metrics, which are also columns of the row.' }),
}).meta({ id: 'Snapshot' })

/** The key of a snapshot in a cursor. */
export const snapshotCursor = cursorField(z.tuple([z.int(), idField]))

export const snapshots = defineRoute({
  method: 'get',
  path: '/reports/snapshots',
  tag: 'Snapshots',
  summary: "The newest snapshots of a range, oldest first: a model's score over time.",
  description: 'The next page has older ones.',
  tier: 'read',
  extra: 'charts',
  query: z.object({
    ...chartFields,
    model_id: z.union([z.literal(''), idField]).optional(),
    limit: limitField(100, 1_000),
    cursor: snapshotCursor,
  }),
  answer: z.array(rowSchema),
  example: { path: '/reports/snapshots?limit=2' },
})

export const oneSnapshot = defineRoute({
  method: 'get',
  path: '/reports/snapshots/{snapshot_id}',
  params: z.object({ snapshot_id: rowIdField }),
  tag: 'Snapshots',
  summary: 'One snapshot.',
  tier: 'read',
  errors: [404],
  answer: rowSchema,
  example: { path: '/reports/snapshots/SNAP_oracle_20260301_111000.000' },
})

export const serveOneSnapshot = serveRoute(oneSnapshot, ({ reads, contract }) => async ({ params }) => {
  const found = await reads.snapshot(params.snapshot_id)
  if (found !== null) return snapshotRow(found, contract)
  const fix = 'GET /reports/snapshots lists the newest ones'
  throw new CrunchError('NOT_FOUND', `There is no snapshot ${params.snapshot_id}; ${fix}.`)
})

export const serveSnapshots = serveRoute(snapshots, ({ reads, contract, clock }) => async ({ query, context }) => {
  const { from, to } = await readRange(query, clock)
  const projectIds = query.model_id ? [...query.projectIds, query.model_id] : query.projectIds
  const modelIds = await visibleModelIds(reads, { ...query, projectIds })
  if (modelIds === null) return []
  const found = await snapshotPage(reads, { modelIds, from, to, cursor: query.cursor, limit: query.limit }, context)
  return found.map((snapshot) => snapshotRow(snapshot, contract))
})

interface SnapshotQuery extends Omit<SnapshotFilter, 'before'> {
  readonly cursor: z.output<typeof snapshotCursor>
}

/** A page of snapshots, oldest first. */
export async function snapshotPage(
  reads: Pick<ReportReads, 'snapshotReports'>,
  { cursor, limit, ...filter }: SnapshotQuery,
  context: ReportRequest,
): Promise<readonly Snapshot[]> {
  const before = cursor === undefined ? null : { periodEnd: cursor[0], modelId: cursor[1] }
  const found = await reads.snapshotReports({ ...filter, before, limit: limit + 1 })
  return newestPage(found, limit, { context, keyOf: ({ periodEnd, modelId }) => [periodEnd, modelId] })
}

export function snapshotRow(snapshot: Snapshot, contract: ReportContract): z.input<typeof rowSchema> {
  const summary = snapshotSummary(snapshot, contract)
  const row = {
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
  return withNumbers(row, summary)
}
