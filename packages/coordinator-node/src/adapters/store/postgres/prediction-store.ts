import type { Round } from '../../../domain/round.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads, RoundCounts } from '../../../ports/reads/report-reads.ts'
import type { RoundStore } from '../../../ports/store-rounds.ts'
import { eraEnded } from '../era-ended.ts'
import { periodClosed } from '../period-closed.ts'
import { isWithinEra } from './era-store.ts'
import { type PredictionStoreOptions, recordAnswers } from './record-answers.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { type RoundRow, roundColumns, roundOf, scopeOf } from './schema/rows.ts'
import { jsonParameter, type Sql } from './session/connect.ts'
import { fence, requireHolder } from './session/lease-row.ts'

export function createPredictionStore(
  sql: Sql,
  options: PredictionStoreOptions,
): RoundStore & Pick<ReportReads, 'roundCounts'> {
  const { generation } = options
  return {
    async openRound(round) {
      const isClosed = sql`exists (select from leaderboards l
        where l.era = ${round.era}::int and l.as_of > ${round.resolvableAt}::timestamptz)`
      const [row] = await sql<{ isNew: boolean; isCurrent: boolean; isHolder: boolean; isShut: boolean }[]>`
        with ${fence(sql, generation())}, opened as (
          insert into inputs (id, era, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms,
            performed_at, resolvable_at, expires_at, missed_before, input)
          select * from json_to_record(${jsonParameter(sql, roundDocument(round))}) as r(
            id text, era int, schedule_key text, source text, subject text, kind text, granularity text, horizon_ms int8,
            step_ms int8, performed_at timestamptz, resolvable_at timestamptz, expires_at timestamptz,
            missed_before int8, input jsonb)
          where ${isWithinEra(sql, sql`r.era`)} and exists (select from fence) and not ${isClosed}
          on conflict do nothing
          returning schedule_key, performed_at, missed_before
        ), counted as (
          update scheduled_prediction_configs c set
            opened_count = c.opened_count + 1,
            missed_count = c.missed_count + o.missed_before,
            last_performed_at = greatest(c.last_performed_at, o.performed_at)
          from opened o where c.key = o.schedule_key
        )
        select exists (select from opened) as "isNew", exists (select from fence) as "isHolder",
          ${isClosed} and not exists (select from inputs where id = ${round.id}) as "isShut",
          ${isWithinEra(sql, sql`${round.era}::int`)} as "isCurrent"`
      requireHolder(row)
      if (row?.isCurrent !== true) throw eraEnded(round.era)
      if (row.isShut) throw periodClosed(round)
      return row.isNew
    },
    async lastRoundTimes() {
      const rows = await sql<{ key: string; at: Instant }[]>`
        select key, last_performed_at as at from scheduled_prediction_configs where last_performed_at is not null`
      return new Map(rows.map(({ key, at }) => [key, at]))
    },
    recordAnswers: (roundId, answeredAt, predictions) => recordAnswers(sql, options, roundId, answeredAt, predictions),
    noteRefusedInput: (...refused) => noteRefusedInput(sql, generation(), ...refused),
    async unansweredRounds() {
      const rows = await sql<RoundRow[]>`
        select ${roundColumns(sql)} from inputs i where answered_at is null order by performed_at, id`
      return rows.map(roundOf)
    },
    async firstResolvableAt(from) {
      const [row] = await sql<{ at: Instant }[]>`
        select resolvable_at as at from inputs where resolvable_at >= ${from} order by resolvable_at limit 1`
      return row?.at ?? null
    },
    async hasUnresolvedRounds(before) {
      const rows = await sql`select 1 from inputs where status = 'RECEIVED' and resolvable_at < ${before} limit 1`
      return rows.length > 0
    },
    roundCounts: () => readRoundCounts(sql),
  }
}

async function noteRefusedInput(
  sql: Sql,
  generation: number | null,
  ...[scheduleKeys, at, reason]: Parameters<RoundStore['noteRefusedInput']>
): Promise<void> {
  const isStanding = sql`c.refused_at > coalesce(c.last_performed_at, '-infinity')`
  const [row] = await sql<{ isHolder: boolean }[]>`
    with ${fence(sql, generation)}, document as materialized (
      select ${jsonParameter(sql, { scheduleKeys, reason })} as body
    ), noted as (
      update scheduled_prediction_configs c set
        refused_count = case when ${isStanding} then c.refused_count else 0 end + 1,
        refused_since = case when ${isStanding} then c.refused_since else ${at}::timestamptz end,
        refusal = case when ${isStanding} then c.refusal else body->>'reason' end,
        refused_at = ${at}::timestamptz
      from document
      where c.key in (select json_array_elements_text(body->'scheduleKeys'))
        and (c.refused_at is null or c.refused_at < ${at}::timestamptz) and exists (select from fence)
    )
    select exists (select from fence) as "isHolder"`
  requireHolder(row)
}

async function readRoundCounts(sql: Sql): Promise<RoundCounts> {
  const [row] = await sql<{ opened: number; missed: number; unresolved: number; void: number }[]>`
    select coalesce(sum(opened_count), 0)::int8 as opened, coalesce(sum(missed_count), 0)::int8 as missed,
      (select count(*) from inputs where status = 'RECEIVED') as unresolved,
      (select count(*) from inputs where void_reason is not null) as void
    from scheduled_prediction_configs`
  const { opened, missed, unresolved, void: voided } = row ?? { opened: 0, missed: 0, unresolved: 0, void: 0 }
  return { openedCount: opened, unresolvedCount: unresolved, voidCount: voided, missedCount: missed }
}

function roundDocument(round: Round): Readonly<Record<string, unknown>> {
  return {
    id: round.id,
    era: round.era,
    schedule_key: round.scheduleKey,
    ...scopeOf(round.scope),
    horizon_ms: round.horizonMs,
    step_ms: round.stepMs,
    performed_at: encodeInstant(round.performedAt),
    resolvable_at: encodeInstant(round.resolvableAt),
    expires_at: encodeInstant(round.expiresAt),
    missed_before: round.missedBefore,
    input: round.input,
  }
}
