import type { FeedScope } from '../../../domain/feed-record.ts'
import {
  type Heartbeat,
  type OpenRounds,
  type RecentRound,
  recentRoundCount,
} from '../../../domain/progress/pipeline-progress.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads } from '../../../ports/report-reads.ts'
import type { WorkerStore } from '../../../ports/store-workers.ts'
import { type ScopeRow, scopeOf } from './schema/rows.ts'
import type { Sql } from './session/connect.ts'
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
      const [heartbeats, times, openRounds, recent, [ends]] = await Promise.all([
        readHeartbeats(sql),
        sql<{ key: string; at: Instant }[]>`
          select key, last_performed_at as at from scheduled_prediction_configs where last_performed_at is not null`,
        readOpenRounds(sql, at),
        recentRounds(sql),
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
      return { heartbeats, lastRoundTimes, openRounds, recentRounds: [...recent], ...(ends as EndsRow) }
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
