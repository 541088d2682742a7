import type { PredictionStatus } from '../../../domain/prediction.ts'
import type { Instant } from '../../../domain/time.ts'
import type {
  FailureFilter,
  ModelActivity,
  ModelFailure,
  ModelProblem,
  ReportReads,
  RunFacts,
} from '../../../ports/reads/report-reads.ts'
import type { Query, Sql } from './session/connect.ts'

interface ActivityRow {
  readonly modelId: string
  readonly counts: Readonly<Record<PredictionStatus, number>>
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly maxMs: number | null
  readonly lastPredictionAt: Instant
  readonly lastAnswerAt: Instant | null
  readonly reasons: Readonly<Record<string, number>> | null
  readonly problemStatus: PredictionStatus | null
  readonly problemReason: string | null
  readonly problemBlame: ModelProblem['blame']
  readonly problemDetail: string | null
  readonly problemAt: Instant | null
}

export function createActivityStore(sql: Sql): Pick<ReportReads, 'modelActivity' | 'modelFailures' | 'runFacts'> {
  return {
    async modelActivity(since) {
      const rows = await sql<ActivityRow[]>`${activityStatement(sql, since)}`
      return rows.map(activityOf)
    },
    async modelFailures(filter) {
      const rows = await sql<ModelFailure[]>`${failureStatement(sql, filter)}`
      return rows.reverse()
    },
    async runFacts() {
      const [row] = await sql<RunFacts[]>`${runStatement(sql)}`
      return row as RunFacts
    },
  }
}

/** Reads the model's rows since then through their index, newest first. */
export function failureStatement(sql: Query, { modelId, since, until, before = null, limit }: FailureFilter) {
  const through = Math.min(until ?? Number.POSITIVE_INFINITY, before?.performedAt ?? Number.POSITIVE_INFINITY)
  return sql`
    select input_id as "roundId", performed_at as "performedAt", status, reason, blame, detail, duration_ms as "durationMs"
    from predictions
    where (model_id, performed_at) >= (${modelId}, ${since}::timestamptz)
      and (model_id, performed_at) <= (${modelId}, ${through}::timestamptz)
      and model_id = ${modelId} and status in ('FAILED', 'ABSENT')
      ${before === null ? sql`` : sql`and (performed_at, input_id) < (${before.performedAt}::timestamptz, ${before.roundId}::text)`}
    order by model_id desc, performed_at desc, input_id desc limit ${limit}`
}

const runStatement = (sql: Query) => sql`
  with rounds as (select count(*) as all, count(void_reason) as void from inputs),
  answers as (
    select count(*) as valid from predictions
    where status in ('PENDING', 'SCORED') or reason in ('truth_unavailable', 'contract_changed')
  ),
  counted as (
    select count(*) as all, count(*) filter (where kind = 'valid') as valid, count(reason) as failed from scores
  )
  select (select count(*) from models) as "modelCount", rounds.all as "roundCount", answers.valid as "answeredCount",
    (select json_build_object('modelId', model_id, 'reason', reason, 'detail', detail) from predictions
      order by performed_at, input_id, model_id limit 1) as "firstRow",
    rounds.void as "voidCount",
    (select void_reason from inputs where void_reason is not null order by resolvable_at, id limit 1) as "voidReason",
    counted.all as "scoreCount", counted.valid as "validCount", counted.failed as "failedCount",
    (select s.reason from inputs i join scores s on s.input_id = i.id
      where s.reason is not null order by i.resolvable_at, i.id, s.model_id limit 1) as "failedReason"
  from rounds, answers, counted`

/**
 * Reads the rows once, day by day through the index of `performed_at`: the cost grows with the span, not with history. For one long
 * span the planner would read the whole table. Exported for the test of its plan.
 */
export const activityStatement = (sql: Query, since: Instant) => sql`
  with open as materialized (select id from inputs where status = 'RECEIVED'),
  days as (
    select at from generate_series(
      greatest(${since}::timestamptz, (select min(performed_at) from predictions)), (select max(performed_at) from predictions), interval '1 day'
    ) as days(at)
  ), outcomes as (
    select model_id, outcome, case when outcome <> 'VALID' then reason end as reason, count(*) as times,
      count(*) filter (where status = 'PENDING' and input_id in (select id from open)) as pending,
      percentile_cont(array[0.5, 0.95, 1]) within group (order by duration_ms) filter (where outcome = 'VALID') as latency,
      max(performed_at) as last_at
    from days cross join lateral (
      select model_id, input_id, status, reason, duration_ms, performed_at,
        case when status in ('PENDING', 'SCORED') then 'VALID' else status end as outcome
      from predictions where performed_at >= days.at and performed_at < days.at + interval '1 day' offset 0
    ) recent group by 1, 2, 3
  ), totals as (
    select model_id,
      jsonb_build_object(
        'PENDING', sum(pending), 'SCORED', coalesce(sum(times) filter (where outcome = 'VALID'), 0) - sum(pending),
        'FAILED', coalesce(sum(times) filter (where outcome = 'FAILED'), 0),
        'ABSENT', coalesce(sum(times) filter (where outcome = 'ABSENT'), 0)
      ) as counts,
      max(latency) as latency, max(last_at) as last_prediction_at,
      max(last_at) filter (where outcome = 'VALID') as last_answer_at,
      max(last_at) filter (where reason is not null) as last_problem_at
    from outcomes group by model_id
  ), reasons as (
    select model_id, jsonb_object_agg(reason, times) as reasons
    from (select model_id, reason, sum(times) as times from outcomes where reason is not null group by 1, 2) counted
    group by model_id
  )
  select t.model_id as "modelId", t.counts, t.latency[1] as "p50Ms", t.latency[2] as "p95Ms", t.latency[3] as "maxMs",
    t.last_prediction_at as "lastPredictionAt", t.last_answer_at as "lastAnswerAt", r.reasons,
    p.status as "problemStatus", p.reason as "problemReason", p.blame as "problemBlame", p.detail as "problemDetail",
    p.performed_at as "problemAt"
  from totals t
  left join reasons r on r.model_id = t.model_id
  left join lateral (
    select * from predictions
    where model_id = t.model_id and performed_at = t.last_problem_at and reason is not null
    order by input_id desc limit 1
  ) p on true
  order by t.model_id`

function activityOf(row: ActivityRow): ModelActivity {
  const { modelId, counts, reasons, p50Ms, p95Ms, maxMs, lastPredictionAt, lastAnswerAt } = row
  const latency = p50Ms === null || p95Ms === null || maxMs === null ? null : { p50Ms, p95Ms, maxMs }
  const lastProblem = problemOf(row)
  return { modelId, counts, reasons: reasons ?? {}, latency, lastPredictionAt, lastAnswerAt, lastProblem }
}

function problemOf(row: ActivityRow): ModelProblem | null {
  const {
    problemStatus: status,
    problemReason: reason,
    problemBlame: blame,
    problemDetail: detail,
    problemAt: at,
  } = row
  return status === null || reason === null || at === null ? null : { status, reason, blame, detail, at }
}
