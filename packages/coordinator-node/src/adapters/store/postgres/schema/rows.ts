import type { FeedRecord, FeedScope } from '../../../../domain/feed-record.ts'
import { predictionId } from '../../../../domain/ids.ts'
import type { Json, JsonObject } from '../../../../domain/json/json.ts'
import type { Prediction } from '../../../../domain/prediction.ts'
import type { Round } from '../../../../domain/round.ts'
import type { Instant } from '../../../../domain/time.ts'
import type { Query } from '../session/connect.ts'
import { encodeInstant } from './instant-codec.ts'

// Conversion of selected rows to domain objects and back.

export interface ScopeRow {
  readonly source: string
  readonly subject: string
  readonly kind: string
  readonly granularity: string
}

export function scopeOf({ source, subject, kind, granularity }: ScopeRow): FeedScope {
  return { source, subject, kind, granularity }
}

/** A record without its scope, from `jsonb_build_array`: eventAt, knownAt, receivedAt, values. */
export type RecordArray = readonly [Instant, Instant, Instant, JsonObject]

export const recordArray = (sql: Query) => sql`jsonb_build_array(
  (extract(epoch from event_at) * 1000)::int8, (extract(epoch from known_at) * 1000)::int8,
  (extract(epoch from received_at) * 1000)::int8, "values")`

export function recordOf(scope: ScopeRow, [eventAt, knownAt, receivedAt, values]: RecordArray): FeedRecord {
  const { source, subject, kind, granularity } = scope
  return { source, subject, kind, granularity, eventAt, knownAt, receivedAt, values }
}

export function recordDocument(record: FeedRecord): Readonly<Record<string, unknown>> {
  const { source, subject, kind, granularity, values } = record
  const event_at = encodeInstant(record.eventAt)
  const known_at = encodeInstant(record.knownAt)
  const received_at = encodeInstant(record.receivedAt)
  return { source, subject, kind, granularity, event_at, known_at, received_at, values }
}

export interface RoundRow extends ScopeRow, Omit<Round, 'scope'> {}

export const roundColumns = (sql: Query) => sql`
  i.id, i.era, i.schedule_key as "scheduleKey", i.source, i.subject, i.kind, i.granularity, i.horizon_ms as "horizonMs",
  i.step_ms as "stepMs", i.performed_at as "performedAt", i.resolvable_at as "resolvableAt",
  i.expires_at as "expiresAt", i.missed_before as "missedBefore", i.input, i.status, i.answered_at as "answeredAt",
  i.actuals, i.void_reason as "voidReason"`

export function roundOf(row: RoundRow): Round {
  const { id, era, scheduleKey, horizonMs, stepMs, performedAt, resolvableAt, expiresAt, missedBefore } = row
  const { input, status, answeredAt, actuals, voidReason } = row
  const scope = scopeOf(row)
  const when = { performedAt, resolvableAt, expiresAt, missedBefore }
  return { id, era, scheduleKey, scope, horizonMs, stepMs, ...when, input, status, answeredAt, actuals, voidReason }
}

/** A prediction without the fields of its round: modelId, status, output, reason, blame, detail, durationMs. */
export type PredictionArray = readonly [
  string,
  Prediction['status'],
  Json,
  string | null,
  Prediction['blame'],
  string | null,
  number | null,
]

/** The status of a prediction `p` of the round `i`. SCORED is derived from the round. */
export const predictionStatus = (sql: Query) =>
  sql`case when p.status = 'PENDING' and i.status = 'RESOLVED' then 'SCORED' else p.status end`

/** The fields of a prediction `p` of the round `i`. */
export const predictionArray = (sql: Query) => sql`json_build_array(
  p.model_id, ${predictionStatus(sql)}, p.output, p.reason, p.blame, p.detail, p.duration_ms)`

export function predictionOf(
  round: Pick<Round, 'id' | 'performedAt' | 'resolvableAt'>,
  row: PredictionArray,
): Prediction {
  const [modelId, status, output, reason, blame, detail, durationMs] = row
  const { id: roundId, performedAt, resolvableAt } = round
  const id = predictionId(modelId, roundId)
  return { id, roundId, modelId, status, output, reason, blame, detail, durationMs, performedAt, resolvableAt }
}
