import type { Instant } from '../../../../domain/time.ts'
import {
  latencyShares,
  type ModelPayout,
  type OneModelReads,
  type OutcomeCount,
  type OutcomeSpan,
} from '../../../../ports/reads/page-reads.ts'
import { jsonParameter, type Query, type Sql } from '../session/connect.ts'

interface OutcomeRow {
  readonly counts: readonly (readonly [Instant, OutcomeCount['status'], string | null, OutcomeCount['blame'], number])[]
  readonly latencyMs: readonly number[] | null
}

export function createOneModelStore(sql: Sql): OneModelReads {
  return {
    async modelOutcomes(span) {
      const [row] = await sql<OutcomeRow[]>`${outcomeStatement(sql, span)}`
      const { counts, latencyMs } = row as OutcomeRow
      return {
        counts: counts.map(([cellStart, status, reason, blame, count]) => ({
          cellStart,
          status,
          reason,
          blame,
          count,
        })),
        latencyMs,
      }
    },
    async modelPayouts({ modelId, before, limit }) {
      const rows = await sql<(ModelPayout['checkpoint'] & Pick<ModelPayout, 'entry'>)[]>`
        select id, era, period_start as "periodStart", period_end as "periodEnd", status, transaction_id as "transactionId",
          submitted_at as "submittedAt", own.entry
        from checkpoints cross join lateral (
          select jsonb_path_query_first(entries, '$[*] ? (@.modelId == $id)', ${jsonParameter(sql, { id: modelId })}::jsonb) as entry
        ) own
        where period_end < ${before} and own.entry is not null order by period_end desc limit ${limit}`
      return rows.map(({ entry, ...checkpoint }) => ({ checkpoint, entry }))
    },
  }
}

/** Reads the model's rows through their index, once. */
function outcomeStatement(sql: Query, { modelId, from, to, cellMs }: OutcomeSpan) {
  return sql`
    with open as materialized (select id from inputs where status = 'RECEIVED'),
    own as materialized (
      select performed_at, duration_ms, reason, blame,
        case when status = 'PENDING' and input_id not in (select id from open) then 'SCORED' else status end as status
      from predictions
      where (model_id, performed_at) >= (${modelId}, ${from}::timestamptz)
        and (model_id, performed_at) <= (${modelId}, ${to}::timestamptz) and model_id = ${modelId}
    ), counted as (
      select (floor(extract(epoch from performed_at) * 1000 / ${cellMs}::int8) * ${cellMs}::int8)::int8 as cell,
        status, reason, blame, count(*) as times
      from own group by 1, 2, 3, 4
    )
    select (
        select coalesce(json_agg(json_build_array(cell, status, reason, blame, times) order by cell, status, reason, blame), '[]')
        from counted
      ) as counts, (
        select to_json(percentile_cont((${JSON.stringify(latencyShares).replace('[', '{').replace(']', '}')}::text)::float8[]) within group (order by duration_ms))
        from own where status in ('PENDING', 'SCORED')
      ) as "latencyMs"`
}
