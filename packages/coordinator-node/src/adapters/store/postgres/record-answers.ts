import { CrunchError } from '../../../domain/errors.ts'
import type { Prediction, RecordedAnswers } from '../../../domain/prediction.ts'
import type { Instant } from '../../../domain/time.ts'
import { answersInOrder, storedLate } from '../check-answers.ts'
import { encodeInstant } from './schema/instant-codec.ts'
import { jsonParameter, type Sql } from './session/connect.ts'
import { fence, type Generation, requireHolder } from './session/lease-row.ts'

export interface PredictionStoreOptions {
  /** Whether rounds are in wall time, so that the database clock is checked when answers are stored. */
  readonly isLive: boolean
  readonly generation: Generation
}

/** With `isLive` the database clock counts too, because `answeredAt` is too early after a stall or with a slow clock. */
export async function recordAnswers(
  sql: Sql,
  { isLive, generation }: PredictionStoreOptions,
  roundId: string,
  answeredAt: Instant,
  predictions: readonly Prediction[],
): Promise<RecordedAnswers> {
  const answers = answersInOrder(roundId, predictions).map(answerDocument)
  const document = { id: roundId, answeredAt: encodeInstant(answeredAt), answers, storedLate }
  const databaseTime = isLive ? sql`clock_timestamp()` : sql`null::timestamptz`
  const [row] = await sql<{ isFirst: boolean; isRound: boolean; isHolder: boolean; lateCount: number }[]>`
    with ${fence(sql, generation())}, document as materialized (select ${jsonParameter(sql, document)} as body),
    answered as (
      update inputs set answered_at = greatest((body->>'answeredAt')::timestamptz, ${databaseTime})
      from document where id = body->>'id' and answered_at is null
        and exists (select from fence)
      returning id, performed_at, resolvable_at, answered_at >= resolvable_at as is_late
    ), answers as (
      select r.id as input_id, r.performed_at, r.resolvable_at, r.is_late and a.status = 'PENDING' as is_late, a.*,
        body->'storedLate' as late
      from answered r, document, json_to_recordset(body->'answers') as a(
        "modelId" text, status text, output jsonb, reason text, blame text, detail text,
        "durationMs" float8)
    ), written as (
      insert into predictions (input_id, model_id, status, output, reason, blame, detail, duration_ms,
        performed_at, resolvable_at)
      select input_id, "modelId",
        case when is_late then late->>'status' else status end,
        case when not is_late then output end,
        case when is_late then late->>'reason' else reason end,
        case when is_late then late->>'blame' else blame end,
        case when is_late then late->>'detail' else detail end,
        "durationMs", performed_at, resolvable_at
      from answers
    )
    select exists (select from answered) as "isFirst", exists (select from fence) as "isHolder",
      exists (select from inputs, document where id = body->>'id') as "isRound",
      (select count(*) from answers where is_late) as "lateCount"`
  requireHolder(row)
  if (row?.isRound !== true) throw new CrunchError('NOT_FOUND', `there is no round "${roundId}" to answer`)
  return { isFirst: row.isFirst, lateCount: row.lateCount }
}

function answerDocument(prediction: Prediction): Readonly<Record<string, unknown>> {
  const { modelId, status, output, reason, blame, detail, durationMs } = prediction
  return { modelId, status, output, reason, blame, detail, durationMs }
}
