import postgres from 'postgres'
import { type Checkpoint, type CheckpointMove, checkpointStatuses } from '../../../domain/checkpoint.ts'
import type { PeriodRounds } from '../../../domain/period-rounds.ts'
import type { FieldSum, Snapshot, SnapshotTotals } from '../../../domain/snapshot.ts'
import type { Instant } from '../../../domain/time.ts'
import type {
  CheckpointStore,
  ClosedPeriod,
  PeriodResult,
  PeriodStore,
  VersionCounts,
} from '../../../ports/store-periods.ts'
import { eraEnded } from '../era-ended.ts'
import { unknownCheckpoint } from '../unknown-checkpoint.ts'
import { isWithinEra } from './era-store.ts'
import { refusalsBetween } from './progress-store.ts'
import { type CheckpointRow, checkpointColumns, checkpointOf } from './schema/checkpoint-rows.ts'
import { encodeInstant, encodeInstantOrNull } from './schema/instant-codec.ts'
import { predictionStatus } from './schema/rows.ts'
import { jsonParameter, type Query, type Sql } from './session/connect.ts'

export function createPeriodStore(sql: Sql): PeriodStore & CheckpointStore {
  return {
    async periodResults(from, to) {
      const rows = await sql<PeriodResult[]>`
        select p.model_id as "modelId", i.id as "roundId", i.performed_at as "performedAt",
          i.resolvable_at as "resolvableAt", i.missing_value as "missingValue", ${predictionStatus(sql)} as "predictionStatus", p.blame,
          s.kind as "scoreKind", s.value, s.signal, s.actual, s.contract_version as "contractVersion"
        from inputs i join predictions p on p.input_id = i.id left join scores s on s.input_id = p.input_id and s.model_id = p.model_id
        where i.resolvable_at >= ${from} and i.resolvable_at < ${to} and i.void_reason is null
        order by i.resolvable_at, i.id, p.model_id`
      return [...rows]
    },
    closePeriod: (period) => closePeriod(sql, period),
    async snapshotsBetween(from, to) {
      const rows = await sql<Snapshot[]>`
        select ${snapshotColumns(sql)} from snapshots where ${within(sql, from, to)} order by period_end, model_id`
      return [...rows]
    },
    async snapshotTotals(from, to, field) {
      const rows = await sql<{ periodEnd: Instant; totals: TotalsArray }[]>`
        select period_end as "periodEnd", ('[' || string_agg(${totalsText(sql, field)}, ',' order by model_id) || ']')::json as totals
        from snapshots where ${within(sql, from, to)} group by period_end order by period_end`
      return rows.flatMap(({ periodEnd, totals }) => totalsOf(periodEnd, totals, field))
    },
    async latestMetrics(from, to) {
      const rows = await sql<Pick<Snapshot, 'modelId' | 'metrics'>[]>`
        select m.id as "modelId", newest.metrics from models m cross join lateral (
          select metrics from snapshots where model_id = m.id and ${within(sql, from, to)} order by period_end desc limit 1
        ) newest`
      return new Map(rows.map(({ modelId, metrics }) => [modelId, metrics]))
    },
    async versionCounts(from, to) {
      const [row] = await sql<VersionCounts[]>`
        select (select count(*) from snapshots where ${within(sql, from, to)}) as "snapshotCount",
          (select coalesce(jsonb_object_agg(version, scores), '{}') from (
            select version, sum(scores::int8) as scores from snapshots, jsonb_each_text(contract_versions) as v(version, scores)
            where ${within(sql, from, to)} group by version
          ) counted) as "contractVersions"`
      return row as VersionCounts
    },
    async periodsBetween(from, to) {
      const rows = await sql<PeriodRounds[]>`
        select period_start as "periodStart", as_of as "periodEnd", round_count as "roundCount", worst,
          missing, first_performed_at as "firstPerformedAt"
        from leaderboards where as_of >= ${from} and as_of <= ${to} and period_start >= ${from} order by as_of`
      return [...rows]
    },
    refusalsBetween: (from, to) => refusalsBetween(sql, from, to),
    async lastPeriodEnd() {
      const [row] = await sql<{ at: Instant | null }[]>`select max(as_of) as at from leaderboards`
      return row?.at ?? null
    },
    ...checkpointVerbs(sql),
  }
}

function checkpointVerbs(sql: Sql): CheckpointStore {
  return {
    addCheckpoint: (checkpoint) => addCheckpoint(sql, checkpoint),
    async acknowledgeCheckpoint(id, { by, at }) {
      const [row] = await sql<CheckpointRow[]>`
        update checkpoints set acknowledged_by = coalesce(acknowledged_by, ${by}::text),
          acknowledged_at = coalesce(acknowledged_at, ${at}::timestamptz)
        where id = ${id}::text returning ${checkpointColumns(sql)}`
      if (row === undefined) throw unknownCheckpoint(id)
      return checkpointOf(row)
    },
    moveCheckpoint: (id, move) => moveCheckpoint(sql, id, move),
    async lastCheckpointEnd() {
      const [row] = await sql<{ at: Instant | null }[]>`select max(period_end) as at from checkpoints`
      return row?.at ?? null
    },
  }
}

const within = (sql: Query, from: Instant, to: Instant) =>
  sql`period_end >= ${from} and period_end <= ${to} and period_start >= ${from}`

/**
 * The totals of a period as one array of JSON, model after model: a row for each would take longer than the rest. Empty sums, which
 * most are, are sent as 0. Of the sums of score fields only that of the ranking field is sent, as two numbers.
 */
type TotalsArray = readonly (string | number | FieldSum)[]

const noSum: FieldSum = { sum: 0, count: 0 }

const shortSum = (sql: Query, column: ReturnType<Query>) =>
  sql`case when ${column} = '{"sum":0,"count":0}' then '0' else ${column}::text end`

const totalsText = (
  sql: Query,
  field: string,
) => sql`concat_ws(',', to_json(model_id), due_count, answered_count, valid_count, excused_count,
  ${shortSum(sql, sql`unasked`)}, ${shortSum(sql, sql`missed`)},
  coalesce(sums->${field}::text->>'sum', '0'), coalesce(sums->${field}::text->>'count', '0'))`

function totalsOf(periodEnd: Instant, row: TotalsArray, field: string): SnapshotTotals[] {
  const totals: SnapshotTotals[] = []
  for (let at = 0; at < row.length; at += 9) {
    totals.push({
      modelId: row[at] as string,
      periodEnd,
      dueCount: row[at + 1] as number,
      answeredCount: row[at + 2] as number,
      validCount: row[at + 3] as number,
      excusedCount: row[at + 4] as number,
      unasked: (row[at + 5] || noSum) as FieldSum,
      missed: (row[at + 6] || noSum) as FieldSum,
      sums: { [field]: { sum: row[at + 7] as number, count: row[at + 8] as number } },
    })
  }
  return totals
}

export const snapshotColumns = (sql: Query) => sql`
  id, era, model_id as "modelId", period_start as "periodStart", period_end as "periodEnd", score_count as "scoreCount",
  due_count as "dueCount", answered_count as "answeredCount", round_count as "roundCount",
  valid_count as "validCount", excused_count as "excusedCount", unasked, missed,
  contract_versions as "contractVersions",
  sums, metrics`

async function closePeriod(sql: Sql, { rounds, snapshots, leaderboard }: ClosedPeriod): Promise<boolean> {
  const document = {
    leaderboard: {
      ...leaderboard,
      ...rounds,
      asOf: encodeInstant(leaderboard.asOf),
      periodStart: encodeInstant(rounds.periodStart),
      firstPerformedAt: encodeInstant(rounds.firstPerformedAt),
    },
    snapshots: snapshots.map((snapshot) => ({
      ...snapshot,
      periodStart: encodeInstant(snapshot.periodStart),
      periodEnd: encodeInstant(snapshot.periodEnd),
    })),
  }
  const isWithin = isWithinEra(sql, sql`${leaderboard.era}::int`, sql`${leaderboard.asOf}::timestamptz`)
  const [row] = await sql<{ isFirst: boolean; isWithin: boolean }[]>`
    with document as materialized (select ${jsonParameter(sql, document)} as body),
    closed as (
      insert into leaderboards (id, era, as_of, period_start, round_count, worst, missing, first_performed_at,
        rank_by, direction, entries)
      select l.* from document, json_to_record(body->'leaderboard') as l(
        id text, era int, "asOf" timestamptz, "periodStart" timestamptz, "roundCount" int8, worst jsonb,
        missing jsonb, "firstPerformedAt" timestamptz, "rankBy" text, direction text, entries jsonb)
      where ${isWithinEra(sql, sql`l.era`, sql`l."asOf"`)}
      on conflict do nothing
      returning 1
    ), written as (
      insert into snapshots
        (id, era, model_id, period_start, period_end, score_count, due_count, answered_count, round_count, valid_count,
          excused_count, unasked, missed, contract_versions, sums, metrics)
      select s.* from document, json_to_recordset(body->'snapshots') as s(
        id text, era int, "modelId" text, "periodStart" timestamptz, "periodEnd" timestamptz, "scoreCount" int8,
        "dueCount" int8, "answeredCount" int8, "roundCount" int8, "validCount" int8, "excusedCount" int8,
        unasked jsonb, missed jsonb, "contractVersions" jsonb, sums jsonb, metrics jsonb)
      where exists (select from closed)
    )
    select exists (select from closed) as "isFirst", ${isWithin} as "isWithin"`
  if (row?.isWithin !== true) throw eraEnded(leaderboard.era)
  return row.isFirst
}

async function moveCheckpoint(sql: Sql, id: string, move: CheckpointMove): Promise<Checkpoint | null> {
  const from = checkpointStatuses[checkpointStatuses.indexOf(move.to) - 1] ?? null
  const submittedAt = move.to === 'SUBMITTED' ? move.at : null
  const moving = sql<CheckpointRow[]>`
    update checkpoints set status = ${move.to}::text, moves = moves || jsonb_build_array(${jsonParameter(sql, { ...move })}::jsonb),
      transaction_id = coalesce(${move.transactionId}::text, transaction_id),
      submitted_at = coalesce(${submittedAt}::timestamptz, submitted_at)
    where id = ${id}::text and status = ${from}::text returning ${checkpointColumns(sql)}`
  const [row] = await moving.catch((error: unknown) => {
    if (error instanceof postgres.PostgresError && error.constraint_name === 'checkpoints_transaction') return []
    throw error
  })
  return row === undefined ? null : checkpointOf(row)
}

async function addCheckpoint(sql: Sql, checkpoint: Checkpoint): Promise<boolean> {
  const document = {
    ...checkpoint,
    acknowledgedBy: checkpoint.acknowledged?.by ?? null,
    acknowledgedAt: encodeInstantOrNull(checkpoint.acknowledged?.at ?? null),
    periodStart: encodeInstant(checkpoint.periodStart),
    periodEnd: encodeInstant(checkpoint.periodEnd),
    submittedAt: encodeInstantOrNull(checkpoint.submittedAt),
    createdAt: encodeInstant(checkpoint.createdAt),
  }
  const isWithin = isWithinEra(sql, sql`${checkpoint.era}::int`, sql`${checkpoint.periodEnd}::timestamptz`)
  const [row] = await sql<{ isFirst: boolean; isWithin: boolean }[]>`
    with added as (
      insert into checkpoints (id, era, period_start, period_end, status, snapshot_count, contract_versions, entries,
        floor, emission_reason, refusals, acknowledged_by, acknowledged_at, crunch, compute_provider, data_provider, transaction_id, submitted_at, moves, created_at)
      select * from json_to_record(${jsonParameter(sql, document)}) as c(
        id text, era int, "periodStart" timestamptz, "periodEnd" timestamptz, status text, "snapshotCount" int8,
        "contractVersions" jsonb, entries jsonb, floor float8, "emissionReason" text, refusals jsonb,
        "acknowledgedBy" text, "acknowledgedAt" timestamptz, crunch text,
        "computeProvider" text, "dataProvider" text, "transactionId" text, "submittedAt" timestamptz, moves jsonb,
      "createdAt" timestamptz)
    where ${isWithinEra(sql, sql`c.era`, sql`c."periodEnd"`)}
    on conflict do nothing
    returning 1
    )
    select exists (select from added) as "isFirst", ${isWithin} as "isWithin"`
  if (row?.isWithin !== true) throw eraEnded(checkpoint.era)
  return row.isFirst
}
