import { scoreId } from '../../../domain/ids.ts'
import type { Leaderboard } from '../../../domain/leaderboard.ts'
import type { Score } from '../../../domain/score.ts'
import type { Snapshot } from '../../../domain/snapshot.ts'
import type { Instant } from '../../../domain/time.ts'
import type { PredictionFilter, ReportReads } from '../../../ports/reads/report-reads.ts'
import type { PredictionExport, PredictionStretch } from '../../../ports/store-exports.ts'
import { snapshotColumns } from './period-store.ts'
import { type CheckpointRow, checkpointColumns, checkpointOf } from './schema/checkpoint-rows.ts'
import { type PredictionArray, predictionArray, predictionOf, type ScopeRow, scopeOf } from './schema/rows.ts'
import { type Fragment, jsonParameter, type Query, type Sql } from './session/connect.ts'

type ReportVerbs =
  | 'latestLeaderboard'
  | 'leaderboardVersion'
  | 'predictionReports'
  | 'predictionExports'
  | 'snapshotReports'
  | 'checkpoints'

export interface ReportRow extends ScopeRow, Pick<PredictionExport, 'actuals' | 'voidReason'> {
  /** `null` without a score. */
  readonly scoreKind: Score['kind'] | null
  readonly roundId: string
  readonly scheduleKey: string
  readonly horizonMs: number
  readonly stepMs: number
  readonly performedAt: Instant
  readonly resolvableAt: Instant
  readonly prediction: PredictionArray
  readonly value: Score['value']
  readonly reason: string | null
  readonly signal: number | null
  readonly actual: number | null
  readonly scoredAt: Instant
  readonly contractVersion: number | null
}

export function createReportStore(sql: Sql): Pick<ReportReads, ReportVerbs> {
  return {
    async latestLeaderboard(until) {
      const [row] = await sql<Leaderboard[]>`
        select ${leaderboardColumns(sql)} from leaderboards
        where ${until === undefined ? sql`true` : sql`as_of <= ${until}`} order by as_of desc limit 1`
      return row ?? null
    },
    async leaderboardVersion(until) {
      // Each version of a row has the number of the transaction that wrote it. Of models they are added up: a later transaction
      // has a larger number, so a change is never cancelled, and a slow one is seen although others came before it.
      const [row] = await sql<{ version: string }[]>`
        select concat_ws(' ',
          (select id || ' ' || xmin::text from leaderboards
            where ${until === undefined ? sql`true` : sql`as_of <= ${until}`} order by as_of desc limit 1),
          (select count(*) || ' ' || coalesce(sum(xmin::text::int8), 0) from models)) as version`
      return row?.version ?? ''
    },
    async predictionReports(filter) {
      const rows = await sql<ReportRow[]>`${predictionStatement(sql, filter)}`
      return rows.map(reportOf).reverse()
    },
    async predictionExports(stretch) {
      const rows = await sql<ReportRow[]>`${exportStatement(sql, stretch)}`
      return rows.map(reportOf)
    },
    async snapshotReports(filter) {
      const { from, before = null, limit } = filter
      const to = Math.min(filter.to, before?.periodEnd ?? filter.to)
      const newest = sql`period_end >= ${from} and period_end <= ${to}
        ${before === null ? sql`` : sql`and (period_end, model_id) < (${before.periodEnd}::timestamptz, ${before.modelId}::text)`}`
      const order = sql`order by period_end desc, model_id desc limit ${limit}`
      const matching = (one: Fragment) => sql`select ${snapshotColumns(sql)} from snapshots where ${one} ${order}`
      const rows = await sql<Snapshot[]>`
        ${
          filter.modelIds.length === 0
            ? matching(newest)
            : sql`
          select matching.* from ${wantedModels(sql, filter)}
          cross join lateral (${matching(sql`${newest} and model_id = wanted.id`)}) matching
          order by "periodEnd" desc, "modelId" desc limit ${limit}`
        }`
      return [...rows].reverse()
    },
    async checkpoints({ status, at, from, to, before, limit }) {
      const rows = await sql<CheckpointRow[]>`
        select ${checkpointColumns(sql)}
        from checkpoints where (${status ?? null}::text is null or status = ${status ?? null}::text)
          ${at === undefined ? sql`` : sql`and period_start <= ${at}::timestamptz and period_end > ${at}::timestamptz`}
          ${from === undefined ? sql`` : sql`and period_end >= ${from}`} ${to === undefined ? sql`` : sql`and period_end <= ${to}`}
          ${before === undefined ? sql`` : sql`and period_end < ${before}`}
        order by period_end desc limit ${limit}`
      return rows.map(checkpointOf)
    },
  }
}

export const wantedModels = (sql: Query, { modelIds }: Pick<PredictionFilter, 'modelIds'>) => sql`
  (select distinct id collate "C" as id
    from json_array_elements_text(${jsonParameter(sql, { modelIds })}->'modelIds') as ids(id)) as wanted`

/**
 * Reads the newest rows of each wanted model through the index by model, then selects the newest of these, so the cost does not grow
 * with history. Bounds on both columns keep PostgreSQL from another index, which would search all rows for a model that stopped long
 * ago. Exported for the test of its plan.
 */
export function predictionStatement(sql: Query, filter: PredictionFilter) {
  const { from, before = null, limit } = filter
  const to = Math.min(filter.to, before?.performedAt ?? filter.to)
  const isBefore =
    before === null
      ? sql``
      : sql`and (performed_at, input_id, model_id) < (${before.performedAt}::timestamptz, ${before.roundId}::text, ${before.modelId}::text)`
  const order = sql`order by performed_at desc, input_id desc, model_id desc limit ${limit}`
  const predictions =
    filter.modelIds.length === 0
      ? sql`select * from predictions where performed_at >= ${from} and performed_at <= ${to} ${isBefore} ${order}`
      : sql`select matching.* from ${wantedModels(sql, filter)}
          cross join lateral (
            select * from predictions
            where (model_id, performed_at) >= (wanted.id, ${from}::timestamptz)
              and (model_id, performed_at) <= (wanted.id, ${to}::timestamptz) ${isBefore}
            order by model_id desc, performed_at desc, input_id desc limit ${limit}
          ) matching ${order}`
  return sql`
    select ${reportColumns(sql)}
    from (${predictions}) p ${roundAndScore(sql)}
    order by p.performed_at desc, p.input_id desc, p.model_id desc`
}

export const leaderboardColumns = (sql: Query, entries: Fragment = sql`entries`) =>
  sql`id, era, as_of as "asOf", rank_by as "rankBy", direction, ${entries} as entries`

/** Of a prediction `p`, its round `i` and its score `s`. */
export const reportColumns = (sql: Query) => sql`
  i.id as "roundId", i.schedule_key as "scheduleKey", i.source, i.subject, i.kind,
  i.granularity, i.horizon_ms as "horizonMs", i.step_ms as "stepMs", i.performed_at as "performedAt",
  i.resolvable_at as "resolvableAt", ${predictionArray(sql)} as prediction,
  s.kind as "scoreKind", s.value, s.reason, s.signal, s.actual, s.scored_at as "scoredAt",
  s.contract_version as "contractVersion", i.actuals, i.void_reason as "voidReason"`

/**
 * The round `i` and the score `s` of each prediction `p`, by their keys. `offset 0` keeps the planner from joining the tables as a
 * whole, which it does as soon as it expects many predictions.
 */
const roundAndScore = (sql: Query) => sql`
  cross join lateral (select * from inputs where id = p.input_id offset 0) i
  left join lateral (select * from scores where input_id = p.input_id and model_id = p.model_id offset 0) s on true`

/** Reads along one index: the cost of a page does not depend on its position. */
function exportStatement(sql: Query, { from, to, after, limit }: PredictionStretch) {
  const behind =
    after === null
      ? sql`performed_at >= ${from}`
      : sql`(performed_at, input_id, model_id) > (${after.performedAt}, ${after.roundId}, ${after.modelId}) and performed_at >= ${from}`
  return sql`
    select ${reportColumns(sql)}
    from (
      select * from predictions where ${behind} and performed_at < ${to}
      order by performed_at, input_id, model_id limit ${limit}
    ) p ${roundAndScore(sql)}
    order by p.performed_at, p.input_id, p.model_id`
}

export function reportOf(row: ReportRow): PredictionExport {
  const { scheduleKey, horizonMs, stepMs, performedAt, resolvableAt, actuals, voidReason } = row
  const prediction = predictionOf({ id: row.roundId, performedAt, resolvableAt }, row.prediction)
  const score = scoreOf(row, prediction)
  return { prediction, scheduleKey, scope: scopeOf(row), horizonMs, stepMs, score, actuals, voidReason }
}

function scoreOf(row: ReportRow, { id, modelId }: PredictionExport['prediction']): Score | null {
  const { roundId, scoreKind: kind, value, reason, signal, actual, resolvableAt, scoredAt, contractVersion } = row
  if (kind === null) return null
  const result = { kind, value, reason, signal, actual, resolvableAt, scoredAt, contractVersion }
  return { id: scoreId(id), predictionId: id, roundId, modelId, ...result }
}
