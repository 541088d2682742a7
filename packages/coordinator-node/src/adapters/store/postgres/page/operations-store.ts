import type { Instant } from '../../../../domain/time.ts'
import type { OperationsReads, StageActivity, TableSize } from '../../../../ports/reads/operations-reads.ts'
import type { Query, Sql } from '../session/connect.ts'

interface ActivityRow extends Omit<StageActivity, 'latency' | 'answerReasons'> {
  readonly latency: readonly [number, number, number, number] | null
  readonly answerReasons: StageActivity['answerReasons'] | null
}

export function createOperationsStore(sql: Sql): OperationsReads {
  return {
    async stageActivity(from, to) {
      const [row] = await sql<ActivityRow[]>`${stageActivityStatement(sql, from, to)}`
      const { latency, answerReasons, ...counts } = row as ActivityRow
      const [p50Ms, p95Ms, p99Ms, maxMs] = latency ?? []
      const isKnown = p50Ms !== undefined && p95Ms !== undefined && p99Ms !== undefined && maxMs !== undefined
      return {
        ...counts,
        answerReasons: answerReasons ?? {},
        latency: isKnown ? { p50Ms, p95Ms, p99Ms, maxMs } : null,
      }
    },
    async tableSizes() {
      const rows = await sql<TableSize[]>`
        select relname::text as "table", pg_total_relation_size(oid)::float8 as bytes,
          case when reltuples >= 0 then reltuples::float8 end as "rowCount"
        from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
        order by pg_total_relation_size(oid) desc, relname`
      return [...rows]
    },
  }
}

/** Each part reads the rows of the span through an index. */
const stageActivityStatement = (sql: Query, from: Instant, to: Instant) => sql`
  with asked as (
    select count(*) as all, count(answered_at) as answered, max(answered_at) as last
    from inputs where performed_at between ${from} and ${to}
  ), settled as (
    select count(*) as all, count(void_reason) as void, max(resolvable_at) as last
    from inputs where resolvable_at between ${from} and ${to} and status = 'RESOLVED'
  ), answers as (
    select count(*) filter (where reason is null) as valid,
      to_jsonb(percentile_cont(array[0.5, 0.95, 0.99, 1]) within group (order by duration_ms) filter (where reason is null))
        as latency
    from predictions where performed_at between ${from} and ${to}
  ), reasons as (
    select jsonb_object_agg(reason, times) as reasons from (
      select reason, count(*) as times from predictions
      where performed_at between ${from} and ${to} and reason is not null group by reason
    ) counted
  ), records as (
    select coalesce(sum(known.all), 0)::int8 as all from feed_ingestion_state f cross join lateral (
      select count(*) as all from feed_records r
      where r.source = f.source and r.subject = f.subject and r.kind = f.kind and r.granularity = f.granularity
        and r.known_at between ${from} and ${to}
    ) known
  )
  select records.all as "recordCount", asked.all as "roundCount", asked.answered as "answeredRoundCount",
    asked.last as "lastAnsweredAt", answers.valid as "validAnswerCount", answers.latency, reasons.reasons as "answerReasons",
    settled.all as "settledCount", settled.last as "lastSettled", settled.void as "voidCount",
    (select count(*) from leaderboards where as_of between ${from} and ${to}) as "periodCount",
    (select count(*) from checkpoints where period_end between ${from} and ${to}) as "checkpointCount"
  from asked, settled, answers, reasons, records`
