import type { Leaderboard } from '../../../domain/leaderboard.ts'
import type { Snapshot } from '../../../domain/snapshot.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ScoreSum, SeriesReads } from '../../../ports/reads/report-reads.ts'
import { snapshotColumns } from './period-store.ts'
import { leaderboardColumns, type ReportRow, reportColumns, reportOf, wantedModels } from './report-store.ts'
import { type CheckpointRow, checkpointColumns, checkpointOf } from './schema/checkpoint-rows.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { type RoundRow, roundColumns, roundOf, type ScopeRow, scopeOf } from './schema/rows.ts'
import { jsonParameter, type Query, type Sql } from './session/connect.ts'

/** Models of which boards are read in part. */
const maxFiltered = 20

// `offset 0` in a lateral query keeps the planner from joining a table as a whole: each row is read by its key.

export function createSeriesStore(sql: Sql): SeriesReads {
  return {
    leaderboardsAt: (ends, modelIds) => leaderboardsAt(sql, ends, modelIds),
    async snapshotsAt(ends, modelIds) {
      const rows = await sql<Snapshot[]>`
        select found.* from ${wantedEnds(sql, ends)}
        ${modelIds.length === 0 ? sql`` : sql`cross join ${wantedModels(sql, { modelIds })}`}
        cross join lateral (
          select ${snapshotColumns(sql)} from snapshots
          where period_end = ends.at ${modelIds.length === 0 ? sql`` : sql`and model_id = wanted.id`} offset 0
        ) found order by "periodEnd", "modelId"`
      return [...rows]
    },
    async newestSnapshots({ modelIds, from, to }) {
      const rows = await sql<Snapshot[]>`
        select newest.* from ${modelIds.length === 0 ? sql`(select id from models) as wanted` : wantedModels(sql, { modelIds })}
        cross join lateral (
          select ${snapshotColumns(sql)} from snapshots
          where model_id = wanted.id and period_end >= ${from} and period_end <= ${to} order by period_end desc limit 1
        ) newest order by "modelId"`
      return [...rows]
    },
    async scoreSums({ modelIds, from, to, cellMs, field }) {
      // By value and not by kind: a failed score has none.
      const rows = await sql<(ScopeRow & Omit<ScoreSum, 'scope'>)[]>`
        select s.model_id as "modelId", i.schedule_key as "scheduleKey", i.source, i.subject, i.kind, i.granularity,
          i.horizon_ms as "horizonMs", i.step_ms as "stepMs",
          ((floor(extract(epoch from i.resolvable_at) * 1000 / ${cellMs}::int8) + 1) * ${cellMs}::int8)::int8 as "cellEnd",
          sum((s.value->>${field}::text)::float8) as sum, count(*) as count
        from inputs i ${modelIds.length === 0 ? sql`` : sql`cross join ${wantedModels(sql, { modelIds })}`}
        cross join lateral (
          select * from scores where input_id = i.id ${modelIds.length === 0 ? sql`` : sql`and model_id = wanted.id`} offset 0
        ) s
        where i.resolvable_at >= ${from} and i.resolvable_at < ${to} and jsonb_typeof(s.value->${field}::text) = 'number'
        group by 1, 2, 3, 4, 5, 6, 7, 8, 9 order by "cellEnd", "modelId", "scheduleKey"`
      return rows.map(({ source, subject, kind, granularity, ...row }) => ({
        ...row,
        scope: scopeOf({ source, subject, kind, granularity }),
      }))
    },
    async roundReport(id, modelId) {
      const [round] = await sql<RoundRow[]>`select ${roundColumns(sql)} from inputs i where i.id = ${id}::text`
      if (round === undefined) return null
      const rows = await sql<ReportRow[]>`
        select ${reportColumns(sql)}
        from predictions p join inputs i on i.id = p.input_id
        left join scores s on s.input_id = p.input_id and s.model_id = p.model_id
        where p.input_id = ${id}::text ${modelId === undefined ? sql`` : sql`and p.model_id = ${modelId}::text`}
        order by p.model_id`
      return { round: roundOf(round), predictions: rows.map(reportOf) }
    },
    async snapshot(id) {
      const [row] = await sql<Snapshot[]>`select ${snapshotColumns(sql)} from snapshots where id = ${id}::text`
      return row ?? null
    },
    async checkpoint(id) {
      const [row] = await sql<CheckpointRow[]>`select ${checkpointColumns(sql)} from checkpoints where id = ${id}::text`
      return row === undefined ? null : checkpointOf(row)
    },
  }
}

async function leaderboardsAt(
  sql: Sql,
  ends: readonly Instant[],
  modelIds: readonly string[],
): Promise<readonly Leaderboard[]> {
  const isFiltered = modelIds.length > 0 && modelIds.length <= maxFiltered
  const rows = await sql<Leaderboard[]>`
    select found.* from ${wantedEnds(sql, ends)}
    cross join lateral (
      select ${leaderboardColumns(sql, isFiltered ? entriesOf(sql, modelIds) : sql`entries`)}
      from leaderboards where as_of = ends.at offset 0
    ) found order by "asOf"`
  if (isFiltered || modelIds.length === 0) return [...rows]
  const wanted = new Set(modelIds)
  return rows.map((row) => ({ ...row, entries: row.entries.filter(({ modelId }) => wanted.has(modelId)) }))
}

/**
 * The entries of some models. To send and parse the boards of a thousand models whole takes ten times as long. The path compares every
 * entry with every id: for {@link maxFiltered} ids at most.
 */
const entriesOf = (sql: Query, modelIds: readonly string[]) =>
  sql`jsonb_path_query_array(entries, '$[*] ? (@.modelId == $ids[*])', ${jsonParameter(sql, { ids: modelIds })}::jsonb)`

export const wantedEnds = (sql: Query, ends: readonly Instant[]) => sql`
  (select distinct value::timestamptz as at
    from json_array_elements_text(${jsonParameter(sql, { ends: ends.map(encodeInstant) })}->'ends') as texts(value)) as ends`
