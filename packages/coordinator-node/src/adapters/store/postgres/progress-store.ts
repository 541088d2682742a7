import type { FeedScope } from '../../../domain/feed-record.ts'
import {
  type Heartbeat,
  type OpenRounds,
  type RecentRound,
  recentRoundCount,
} from '../../../domain/progress/pipeline-progress.ts'
import type { Refusal, StandingRefusal } from '../../../domain/progress/refusal.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import type { WorkerStore } from '../../../ports/store-workers.ts'
import { compareText } from '../compare-text.ts'
import { type ScopeRow, scopeOf } from './schema/rows.ts'
import type { Fragment, Query, Sql } from './session/connect.ts'
import { fence, type Generation, requireHolder } from './session/lease-row.ts'

interface OpenRoundsRow extends ScopeRow, Omit<OpenRounds, 'scope'> {}

interface EndsRow {
  readonly firstModelAt: Instant | null
  readonly lastPeriodEnd: Instant | null
  readonly firstInOpenPeriod: Instant | null
  readonly lastCheckpointEnd: Instant | null
  readonly firstInOpenCheckpoint: Instant | null
}

export function createProgressStore(
  sql: Sql,
  generation: Generation,
): Pick<ReportReads, 'pipelineProgress' | 'storeTime'> & Pick<WorkerStore, 'beat'> {
  return {
    async beat({ worker, nextWithinMs, hasWorked, problem }) {
      const dueAt = sql`clock_timestamp() + make_interval(secs => ${nextWithinMs / 1_000}::float8)`
      const [row] = await sql<{ isHolder: boolean }[]>`
        with ${fence(sql, generation())}, written as (
          insert into worker_heartbeats (worker, beat_at, due_at, worked_at, problem)
          select ${worker}::text, clock_timestamp(), ${dueAt}, case when ${hasWorked} then clock_timestamp() end,
            ${problem}::text
          from fence
          on conflict (worker) do update set beat_at = excluded.beat_at, due_at = excluded.due_at,
            worked_at = coalesce(excluded.worked_at, worker_heartbeats.worked_at), problem = excluded.problem
        )
        select exists (select from fence) as "isHolder"`
      requireHolder(row)
    },
    async storeTime() {
      const [row] = await sql<{ at: Instant }[]>`select clock_timestamp()::timestamptz(3) as at`
      return row?.at ?? null
    },
    async pipelineProgress(at) {
      const [heartbeats, times, openRounds, recent, refusals, [ends]] = await Promise.all([
        readHeartbeats(sql),
        sql<{ key: string; at: Instant }[]>`
          select key, last_performed_at as at from scheduled_prediction_configs where last_performed_at is not null`,
        readOpenRounds(sql, at),
        recentRounds(sql),
        standingRefusals(sql),
        sql<EndsRow[]>`
          with ends as (
            select (select max(as_of) from leaderboards) as period, (select max(period_end) from checkpoints) as checkpoint
          )
          select period as "lastPeriodEnd", checkpoint as "lastCheckpointEnd",
            (select min(m.registered_at) from models m where not exists (
              select from model_retirements r where r.model_id = m.id and r.until_at is null)) as "firstModelAt",
            (select min(resolvable_at) from inputs where resolvable_at >= coalesce(period, '-infinity'))
              as "firstInOpenPeriod",
            (select min(resolvable_at) from inputs where resolvable_at >= coalesce(checkpoint, '-infinity'))
              as "firstInOpenCheckpoint"
          from ends`,
      ])
      const lastRoundTimes = new Map(times.map(({ key, at: lastAt }) => [key, lastAt]))
      return { heartbeats, lastRoundTimes, openRounds, recentRounds: [...recent], refusals, ...(ends as EndsRow) }
    },
  }
}

async function readHeartbeats(sql: Sql): Promise<readonly Heartbeat[]> {
  const since = (column: string) => sql`(extract(epoch from clock_timestamp() - ${sql(column)}) * 1000)::float8`
  const rows = await sql<Heartbeat[]>`
    select worker, beat_at as at, ${since('beat_at')} as "silentMs", ${since('due_at')} as "overdueMs",
      ${since('worked_at')} as "sinceWorkMs", problem
    from worker_heartbeats order by worker`
  return [...rows]
}

/** Reads only rounds without a result, by their partial index. */
async function readOpenRounds(sql: Sql, at: Instant): Promise<readonly OpenRounds[]> {
  const isDue = sql`i.resolvable_at <= ${at}`
  const isRipe = sql`i.answered_at is not null and (i.expires_at <= ${at} or i.resolvable_at <= f.watermark_at)`
  const rows = await sql<OpenRoundsRow[]>`
    select i.schedule_key as "scheduleKey", i.source, i.subject, i.kind, i.granularity,
      count(*) filter (where i.answered_at is null) as "unansweredCount",
      min(i.performed_at) filter (where i.answered_at is null) as "firstUnansweredAt",
      count(*) filter (where ${isDue}) as "dueCount", min(i.resolvable_at) filter (where ${isDue}) as "firstDueAt",
      count(*) filter (where ${isRipe}) as "ripeCount", min(i.resolvable_at) filter (where ${isRipe}) as "firstRipeAt",
      count(*) filter (where i.expires_at <= ${at}) as "expiredCount"
    from inputs i left join feed_ingestion_state f using (source, subject, kind, granularity)
    where i.status = 'RECEIVED'
    group by i.schedule_key, i.source, i.subject, i.kind, i.granularity
    order by i.schedule_key, i.source, i.subject, i.kind, i.granularity`
  return rows.map(({ source, subject, kind, granularity, ...counts }) => ({
    ...counts,
    scope: scopeOf({ source, subject, kind, granularity } satisfies FeedScope),
  }))
}

/** Reads a few rows per schedule by index, independent of the number of rounds. Exported for the test of its plan. */
export function recentRounds(sql: Sql) {
  return sql<RecentRound[]>`
    select c.key as "scheduleKey", r.performed_at as "performedAt", p.*
    from scheduled_prediction_configs c
    cross join lateral (
      select i.id, i.performed_at from inputs i
      where i.schedule_key = c.key and i.answered_at is not null and i.void_reason is null
        and i.resolvable_at <= c.last_performed_at + make_interval(secs => c.horizon_ms / 1000.0)
      order by i.resolvable_at desc, i.id desc limit ${recentRoundCount}
    ) r
    cross join lateral (
      select count(*) as "rowCount", count(*) filter (where status in ('PENDING', 'SCORED')) as "validCount",
        mode() within group (order by reason) as "commonReason"
      from predictions where input_id = r.id
    ) p
    where c.active
    order by c.key, r.performed_at`
}

/** What the contract refuses now, in order of schedule key: inputs, then truths, then scores. */
async function standingRefusals(sql: Sql): Promise<readonly StandingRefusal[]> {
  const kinds = await Promise.all([
    sql<StandingRefusal[]>`
      select 'inputs' as what, key as "scheduleKey", refused_count as count, null::int8 as of, refused_since as since,
        refusal as reason
      from scheduled_prediction_configs where active and refused_at > coalesce(last_performed_at, '-infinity')`,
    standing(sql, 'truths', { refused: withoutTruth(sql), well: sql`true` }),
    standingScores(sql),
  ])
  return kinds.flat().sort((left, right) => compareText(left.scheduleKey, right.scheduleKey))
}

/** Exported for the test of its plan. */
export const standingScores = (sql: Sql) => standing(sql, 'scores', { refused: withTruth(sql), well: isScored(sql) })

const withTruth = (sql: Query) => sql`i.status = 'RESOLVED' and i.void_reason is null`
const withoutTruth = (sql: Query) => sql`(i.status = 'RECEIVED' or i.void_reason is not null)`

/** Rounds without a score do not count as a success of the scorer. `exists` would let the planner read all scores at once. */
const isScored = (sql: Query) => sql`i.refusal is null and
  (select true from scores s where s.input_id = i.id limit 1)`

/**
 * Refused rounds since the last successful one. In a working competition the index on refused rounds is empty, and nothing
 * else is read.
 */
function standing(
  sql: Sql,
  what: 'truths' | 'scores',
  { refused, well }: { readonly refused: Fragment; readonly well: Fragment },
) {
  return sql<StandingRefusal[]>`
    select ${what}::text as what, c.key as "scheduleKey", run.*
    from scheduled_prediction_configs c
    cross join lateral (
      select i.resolvable_at as at from inputs i
      where i.schedule_key = c.key and i.refusal is not null and ${refused}
      order by i.resolvable_at desc, i.id desc limit 1
    ) newest
    left join lateral (
      select i.resolvable_at as at from inputs i
      where i.schedule_key = c.key and i.answered_at is not null and ${withTruth(sql)} and ${well}
      order by i.resolvable_at desc, i.id desc limit 1
    ) last_well on true
    cross join lateral (
      select coalesce(sum(i.refused_count), count(*))::int8 as count, sum(i.score_count)::int8 as of,
        min(i.resolvable_at) as since, (array_agg(i.refusal order by i.resolvable_at, i.id))[1] as reason
      from inputs i
      where i.schedule_key = c.key and i.refusal is not null and ${refused}
        and i.resolvable_at > coalesce(last_well.at, '-infinity')
    ) run
    where c.active and newest.at > coalesce(last_well.at, '-infinity')`
}

/** What the contract refused of the rounds of a period. Its scores are only counted when some were refused. */
export async function refusalsBetween(sql: Sql, from: Instant, to: Instant): Promise<readonly Refusal[]> {
  const inPeriod = sql`i.resolvable_at >= ${from}::timestamptz and i.resolvable_at < ${to}::timestamptz`
  const first = sql`(array_agg(i.refusal order by i.resolvable_at, i.id))[1] as reason`
  const rows = await sql<Refusal[]>`
    select 'truths' as what, count(*) as count, ${first}, (select count(*) from inputs i where ${inPeriod}) as of
    from inputs i where ${inPeriod} and i.refusal is not null and ${withoutTruth(sql)}
    having count(*) > 0
    union all
    select 'scores' as what, sum(i.refused_count)::int8 as count, ${first}, (
      select count(*) from inputs i join scores s on s.input_id = i.id where ${inPeriod}) as of
    from inputs i where ${inPeriod} and i.refusal is not null and ${withTruth(sql)}
    having count(*) > 0`
  return rows.map(({ what, count, of, reason }) => ({ what, count, of, reason }))
}
