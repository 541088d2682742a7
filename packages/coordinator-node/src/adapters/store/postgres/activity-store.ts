import type { PredictionStatus } from '../../../domain/prediction.ts'
import type { Instant } from '../../../domain/time.ts'
import type {
  FailureFilter,
  ModelActivity,
  ModelFailure,
  ModelProblem,
  ReportReads,
  RunFacts,
} from '../../../ports/report-reads.ts'
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

/** Every part reads `performed_at >= since` through its index, so the cost grows with the span, not with history. */
export const activityStatement = (sql: Query, since: Instant) => sql`
  with open as materialized (select id from inputs where status = 'RECEIVED'),
  totals as (
    select model_id,
      jsonb_build_object(
        'PENDING', count(*) filter (where status = 'PENDING' and input_id in (select id from open)),
        'SCORED', count(*) filter (where status = 'SCORED' or status = 'PENDING' and input_id not in (select id from open)),
        'FAILED', count(*) filter (where status = 'FAILED'), 'ABSENT', count(*) filter (where status = 'ABSENT')
      ) as counts,
      percentile_cont(array[0.5, 0.95, 1]) within group (order by duration_ms)
        filter (where status in ('PENDING', 'SCORED')) as latency,
      max(performed_at) as last_prediction_at,
      max(performed_at) filter (where status in ('PENDING', 'SCORED')) as last_answer_at
    from predictions where performed_at >= ${since} group by model_id
  ), reasons as (
    select model_id, jsonb_object_agg(reason, times) as reasons
    from (
      select model_id, reason, count(*) as times
      from predictions where performed_at >= ${since} and reason is not null group by model_id, reason
    ) counted group by model_id
  ), problems as (
    -- Only ids are sorted, because details are long and most are not returned.
    select distinct on (model_id) model_id, input_id
    from predictions where performed_at >= ${since} and reason is not null
    order by model_id, performed_at desc, input_id desc
  )
  select t.model_id as "modelId", t.counts, t.latency[1] as "p50Ms", t.latency[2] as "p95Ms", t.latency[3] as "maxMs",
    t.last_prediction_at as "lastPredictionAt", t.last_answer_at as "lastAnswerAt", r.reasons,
    p.status as "problemStatus", p.reason as "problemReason", p.blame as "problemBlame", p.detail as "problemDetail",
    p.performed_at as "problemAt"
  from totals t
  left join reasons r on r.model_id = t.model_id
  left join problems n on n.model_id = t.model_id
  left join predictions p on p.input_id = n.input_id and p.model_id = n.model_id
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
