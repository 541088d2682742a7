import { refusedScores } from '../../../domain/progress/refusal.ts'
import type { Score } from '../../../domain/score.ts'
import type { DueRound, RoundSettlement, SettleRequest, SettleResult } from '../../../ports/store-settlement.ts'
import { checkSettlement } from '../check-settlement.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import {
  type PredictionArray,
  predictionArray,
  predictionOf,
  type RecordArray,
  type RoundRow,
  recordArray,
  recordOf,
  roundColumns,
  roundOf,
} from './schema/rows.ts'
import { type Fragment, jsonParameter, type Query } from './session/connect.ts'
import { type EvidenceRow, evidenceOf, evidenceParts } from './settle-evidence.ts'

interface DueRow extends RoundRow, EvidenceRow {
  readonly predictions: readonly PredictionArray[] | null
  readonly refusal: string | null
  readonly entry: RecordArray | null
  readonly exit: RecordArray | null
  readonly records: readonly RecordArray[] | null
}

interface Settled {
  readonly due: DueRound
  readonly settlement: Exclude<RoundSettlement, { kind: 'wait' }>
}

/** Call within a transaction. Claims rounds with all evidence in one statement, decides, writes everything in one statement. */
export async function settleRounds(
  sql: Query,
  request: SettleRequest,
  decide: (due: DueRound) => RoundSettlement,
): Promise<SettleResult> {
  const rows = await sql<DueRow[]>`${claimStatement(sql, request)}`
  const settled: Settled[] = []
  const waiting: { readonly id: string; readonly refusal: string | null }[] = []
  for (const row of rows) {
    const due = dueRound(row, request)
    const settlement = decide(due)
    checkSettlement(due, settlement)
    if (settlement.kind !== 'wait') settled.push({ due, settlement })
    else if (refusedTruth(settlement) !== row.refusal) waiting.push({ id: row.id, refusal: refusedTruth(settlement) })
  }
  // Nothing runs between the result above and this statement, so both use the same session.
  if (settled.length > 0) await write(sql, settled)
  if (waiting.length > 0) await noteRefusals(sql, waiting)
  const voidCount = settled.filter(({ settlement }) => settlement.kind === 'void').length
  const last = rows.length >= request.limit ? rows.at(-1) : undefined
  return {
    resolvedCount: settled.length - voidCount,
    voidCount,
    waitingCount: rows.length - settled.length,
    next: last === undefined ? null : { resolvableAt: last.resolvableAt, id: last.id },
  }
}

/** No due round is later than both the greatest watermark and now, so the scan of unresolved rounds ends there. */
function claimStatement(sql: Query, { now, limit, after, withRecords, evidence }: SettleRequest) {
  const { tables, columns, joins } = evidenceParts(sql, evidence)
  return sql`
    with ${tables}i as materialized (
      select due.* from inputs due
      left join feed_ingestion_state feed using (source, subject, kind, granularity)
      where due.status = 'RECEIVED' and due.answered_at is not null
        and due.resolvable_at <= greatest(${now}::timestamptz, (select max(watermark_at) from feed_ingestion_state))
        and (feed.watermark_at >= due.resolvable_at or due.expires_at <= ${now}::timestamptz)
        and (due.resolvable_at, due.id) >
          (${after?.resolvableAt ?? Number.NEGATIVE_INFINITY}::timestamptz, ${after?.id ?? ''}::text)
      order by due.resolvable_at, due.id
      limit ${limit}
      for update of due skip locked
    )
    select ${roundColumns(sql)}, i.refusal, p.predictions, entry.record as entry, exit.record as exit, between_them.records
      ${columns}
    from i
    left join lateral (
      select json_agg(${predictionArray(sql)} order by p.model_id) as predictions
      from predictions p where p.input_id = i.id
    ) p on true
    left join lateral (${lastKnown(sql, sql`i.performed_at`)}) entry on true
    left join lateral (${lastKnown(sql, sql`i.resolvable_at`)}) exit on true
    left join lateral (
      select json_agg(${recordArray(sql)} order by r.known_at, r.event_at) as records
      from feed_records r
      where ${withRecords}::bool and ${inScope(sql)} and r.known_at > i.performed_at and r.known_at <= i.resolvable_at
    ) between_them on true
    ${joins}
    order by i.resolvable_at, i.id`
}

const inScope = (sql: Query) =>
  sql`r.source = i.source and r.subject = i.subject and r.kind = i.kind and r.granularity = i.granularity`

const lastKnown = (sql: Query, at: Fragment) => sql`
  select ${recordArray(sql)} as record from feed_records r
  where ${inScope(sql)} and r.known_at <= ${at} order by r.known_at desc, r.event_at desc limit 1`

function dueRound(row: DueRow, request: SettleRequest): DueRound {
  const round = roundOf(row)
  return {
    round,
    predictions: (row.predictions ?? []).map((prediction) => predictionOf(round, prediction)),
    entry: row.entry === null ? null : recordOf(row, row.entry),
    exit: row.exit === null ? null : recordOf(row, row.exit),
    records: (row.records ?? []).map((record) => recordOf(row, record)),
    evidence: evidenceOf(row, request.evidence),
  }
}

async function write(sql: Query, settled: readonly Settled[]): Promise<void> {
  const rounds = settled.map(({ due: { round }, settlement }) =>
    settlement.kind === 'void'
      ? { id: round.id, void_reason: settlement.reason, refusal: refusedTruth(settlement) }
      : resolvedDocument(round.id, settlement),
  )
  const moves = settled.flatMap(moveDocuments)
  const scores = settled.flatMap(({ settlement }) => (settlement.kind === 'void' ? [] : settlement.scores))
  const document = { rounds, moves, scores: scores.map(scoreDocument) }
  const [row] = await sql<{ rounds: number; moves: number }[]>`
    with document as materialized (select ${jsonParameter(sql, document)} as body),
    moved as (
      update predictions p set status = m."to", reason = m.reason, blame = m.blame, detail = m.detail
      from document, json_to_recordset(body->'moves') as m(
        input_id text, model_id text, "to" text, reason text, blame text, detail text)
      where p.input_id = m.input_id and p.model_id = m.model_id and p.status = 'PENDING'
      returning 1
    ), scored as (
      insert into scores (input_id, model_id, kind, value, reason, signal, actual, scored_at, contract_version)
      select s.* from document, json_to_recordset(body->'scores') as s(
        input_id text, model_id text, kind text, value jsonb, reason text, signal float8, actual float8,
        scored_at timestamptz, contract_version int)
    ), resolved as (
      update inputs i set status = 'RESOLVED', actuals = r.actuals, void_reason = r.void_reason,
        missing_value = r.missing_value, refusal = r.refusal, refused_count = r.refused_count, score_count = r.score_count
      from document, json_to_recordset(body->'rounds') as r(
        id text, actuals jsonb, void_reason text, missing_value float8, refusal text, refused_count int, score_count int)
      where i.id = r.id and i.status = 'RECEIVED'
      returning 1
    )
    select (select count(*) from resolved) as rounds, (select count(*) from moved) as moves`
  if (row?.rounds !== rounds.length || row.moves !== moves.length) {
    throw new Error(
      `settling wrote ${row?.rounds} of ${rounds.length} rounds and ${row?.moves} of ${moves.length} moves`,
    )
  }
}

/** Why the contract refused the truth of a round without one; `null`: something else is the cause. */
function refusedTruth({ reason, isRefusal }: Extract<RoundSettlement, { kind: 'wait' | 'void' }>): string | null {
  return isRefusal === true ? (reason ?? null) : null
}

function resolvedDocument(
  id: string,
  { actuals, missingValue, scores }: Extract<RoundSettlement, { kind: 'resolved' }>,
) {
  const refused = refusedScores(scores)
  const failed = refused && { refusal: refused.reason, refused_count: refused.count, score_count: refused.of }
  return { id, actuals, missing_value: missingValue, ...failed }
}

async function noteRefusals(
  sql: Query,
  rounds: readonly { readonly id: string; readonly refusal: string | null }[],
): Promise<void> {
  await sql`
    update inputs i set refusal = r.refusal
    from json_to_recordset(${jsonParameter(sql, { rounds })}->'rounds') as r(id text, refusal text) where i.id = r.id`
}

/** The moves to write. SCORED is derived from the round, so rows of scored predictions are not rewritten. */
function moveDocuments({ due, settlement }: Settled) {
  const moves = settlement.moves.filter(({ to }) => to !== 'SCORED')
  if (moves.length === 0) return []
  const modelIds = new Map(due.predictions.map(({ id, modelId }) => [id, modelId]))
  return moves.map(({ predictionId, ...move }) => ({
    ...move,
    input_id: due.round.id,
    model_id: modelIds.get(predictionId),
  }))
}

function scoreDocument({ roundId, modelId, kind, value, reason, signal, actual, scoredAt, contractVersion }: Score) {
  const numbers = { signal, actual, scored_at: encodeInstant(scoredAt), contract_version: contractVersion }
  return { input_id: roundId, model_id: modelId, kind, value, reason, ...numbers }
}
