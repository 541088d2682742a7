import type { PredictionStatus } from '../../../../domain/prediction.ts'
import type { RoundState } from '../../../../domain/round.ts'
import type { Instant } from '../../../../domain/time.ts'
import type { RoundFilter, RoundListReads, RoundSummary } from '../../../../ports/reads/page-reads.ts'
import { predictionStatus, type RoundRow, roundColumns, roundOf } from '../schema/rows.ts'
import type { Fragment, Query, Sql } from '../session/connect.ts'

interface SummaryRow extends RoundRow {
  readonly counts: Readonly<Partial<Record<PredictionStatus, number>>>
  readonly scoredAt: Instant | null
  readonly bestModelId: string | null
  readonly bestValue: number | null
}

export function createRoundListStore(sql: Sql): RoundListReads {
  return {
    async roundSummaries(filter) {
      const rows = await sql<SummaryRow[]>`${summaryStatement(sql, filter)}`
      return rows.map(summaryOf)
    },
  }
}

/** The rounds through an index, then the answers and the scores of each by its key. */
function summaryStatement(sql: Query, filter: RoundFilter) {
  const { field, direction } = filter.bestBy
  const order = direction === 'asc' ? sql`asc` : sql`desc`
  const value = sql`case when kind = 'valid' and jsonb_typeof(value->${field}::text) = 'number' then (value->>${field}::text)::float8 end`
  return sql`
    select ${roundColumns(sql)}, answers.counts, scored.*
    from (
      select ${listedColumns(sql)} from inputs where ${conditions(sql, filter)}
      order by performed_at desc, id desc limit ${filter.limit}
    ) i
    cross join lateral (
      select coalesce(jsonb_object_agg(status, times), '{}') as counts from (
        select ${predictionStatus(sql)} as status, count(*) as times from predictions p where p.input_id = i.id group by 1
      ) counted
    ) answers
    cross join lateral (
      select max(scored_at) as "scoredAt", (array_agg(model_id order by number ${order}, model_id) filter (where number is not null))[1] as "bestModelId",
        ${direction === 'asc' ? sql`min(number)` : sql`max(number)`} as "bestValue"
      from (select model_id, scored_at, ${value} as number from scores where input_id = i.id offset 0) valued
    ) scored
    order by i.performed_at desc, i.id desc`
}

/** All but the input, which can be long. */
const listedColumns = (sql: Query) => sql`
  id, era, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms, performed_at, resolvable_at, expires_at,
  missed_before, null::jsonb as input, status, answered_at, actuals, void_reason`

function conditions(sql: Query, { from, to, state, scheduleKey, scope, after }: RoundFilter): Fragment {
  const parts = [
    sql`performed_at >= ${from} and performed_at <= ${to}`,
    ...(state === undefined ? [] : [inState(sql, state)]),
    ...(after === null ? [] : [sql`(performed_at, id) < (${after.performedAt}::timestamptz, ${after.id}::text)`]),
    ...(scheduleKey === undefined ? [] : [sql`schedule_key = ${scheduleKey}::text`]),
    ...(scope.source === undefined ? [] : [sql`source = ${scope.source}::text`]),
    ...(scope.subject === undefined ? [] : [sql`subject = ${scope.subject}::text`]),
    ...(scope.kind === undefined ? [] : [sql`kind = ${scope.kind}::text`]),
    ...(scope.granularity === undefined ? [] : [sql`granularity = ${scope.granularity}::text`]),
  ]
  return parts.reduce((all, part) => sql`${all} and ${part}`)
}

function inState(sql: Query, state: RoundState): Fragment {
  if (state === 'open') return sql`status = 'RECEIVED'`
  return state === 'void' ? sql`void_reason is not null` : sql`status = 'RESOLVED' and void_reason is null`
}

function summaryOf({ counts, scoredAt, bestModelId, bestValue, ...row }: SummaryRow): RoundSummary {
  const { input: _, ...round } = roundOf(row)
  return {
    round,
    counts: { PENDING: 0, SCORED: 0, FAILED: 0, ABSENT: 0, ...counts },
    scoredAt,
    best: bestModelId === null || bestValue === null ? null : { modelId: bestModelId, value: bestValue },
  }
}
