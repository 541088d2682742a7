import { CrunchError } from '../../../domain/errors.ts'
import type { Prediction } from '../../../domain/prediction.ts'
import type { Round } from '../../../domain/round.ts'
import type { Instant } from '../../../domain/time.ts'
import type { RoundCounts, Store } from '../../../ports/store.ts'
import { answersInOrder } from '../check-answers.ts'
import { eraEnded } from '../era-ended.ts'
import { jsonParameter, type Sql } from './connect.ts'
import { isWithinEra } from './era-store.ts'
import { encodeInstant } from './instant-codec.ts'
import { type RoundRow, roundColumns, roundOf, scopeOf } from './rows.ts'
import { fence } from './session/lease-row.ts'

type PredictionVerbs = 'openRound' | 'lastRoundTimes' | 'recordAnswers' | 'unansweredRounds' | 'roundCounts'

/** `generation`: under which number the store's process took the lease of predicting; `null`: it did not. */
export function createPredictionStore(sql: Sql, generation: () => number | null): Pick<Store, PredictionVerbs> {
  return {
    async openRound(round) {
      const [row] = await sql<{ isNew: boolean; isCurrent: boolean; isHolder: boolean }[]>`
        with ${fence(sql, generation())}, opened as (
          insert into inputs (id, era, schedule_key, source, subject, kind, granularity, horizon_ms, step_ms,
            performed_at, resolvable_at, expires_at, missed_before, input)
          select * from json_to_record(${jsonParameter(sql, roundDocument(round))}) as r(
            id text, era int, schedule_key text, source text, subject text, kind text, granularity text, horizon_ms int8,
            step_ms int8, performed_at timestamptz, resolvable_at timestamptz, expires_at timestamptz,
            missed_before int8, input jsonb)
          where ${isWithinEra(sql, sql`r.era`)} and exists (select from fence)
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
          ${isWithinEra(sql, sql`${round.era}::int`)} as "isCurrent"`
      if (row?.isHolder !== true) throw lostLease()
      if (!row.isCurrent) throw eraEnded(round.era)
      return row.isNew
    },
    async lastRoundTimes() {
      const rows = await sql<{ key: string; at: Instant }[]>`
        select key, last_performed_at as at from scheduled_prediction_configs where last_performed_at is not null`
      return new Map(rows.map(({ key, at }) => [key, at]))
    },
    async recordAnswers(roundId, answeredAt, predictions) {
      const answers = answersInOrder(roundId, predictions).map(answerDocument)
      const document = { id: roundId, answeredAt: encodeInstant(answeredAt), answers }
      const [row] = await sql<{ isFirst: boolean; isRound: boolean; isHolder: boolean }[]>`
        with ${fence(sql, generation())}, document as materialized (select ${jsonParameter(sql, document)} as body),
        answered as (
          update inputs set answered_at = (body->>'answeredAt')::timestamptz
          from document where id = body->>'id' and answered_at is null
            and exists (select from fence)
          returning id, performed_at, resolvable_at
        ), written as (
          insert into predictions (id, input_id, model_id, status, output, reason, blame, detail, duration_ms,
            performed_at, resolvable_at)
          select a.id, r.id, a."modelId", a.status, a.output, a.reason, a.blame, a.detail, a."durationMs",
            r.performed_at, r.resolvable_at
          from answered r, document, json_to_recordset(body->'answers') as a(
            id text, "modelId" text, status text, output jsonb, reason text, blame text, detail text,
            "durationMs" float8)
        )
        select exists (select from answered) as "isFirst", exists (select from fence) as "isHolder",
          exists (select from inputs, document where id = body->>'id') as "isRound"`
      if (row?.isHolder !== true) throw lostLease()
      if (row?.isRound !== true) throw new CrunchError('NOT_FOUND', `there is no round "${roundId}" to answer`)
      return row.isFirst
    },
    async unansweredRounds() {
      const rows = await sql<RoundRow[]>`
        select ${roundColumns(sql)} from inputs i where answered_at is null order by performed_at, id`
      return rows.map(roundOf)
    },
    roundCounts: () => readRoundCounts(sql),
  }
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

function lostLease(): CrunchError {
  const fix = 'this process may write no rounds any more: end it, a new one stands by'
  return new CrunchError('LEASE_HELD', `another process has taken over the lease on predicting; ${fix}`)
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

function answerDocument(prediction: Prediction): Readonly<Record<string, unknown>> {
  const { id, modelId, status, output, reason, blame, detail, durationMs } = prediction
  return { id, modelId, status, output, reason, blame, detail, durationMs }
}
