import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { rowIdField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { answerFields, answerGate } from '../../rows/hidden-answers.ts'
import { timeOrNull, zonedTime } from '../../rows/row-fields.ts'
import { contractValue, numberOrNull, textOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { scopeFields } from '../../schemas/question.ts'
import { blame, predictionStatus } from '../models/model-schema.ts'
import { type KnownPrediction, knownPrediction } from './one-prediction.ts'

const recordLimit = 1_000
const at = zonedTimeSchema.nullable()

const traceRow = z
  .object({
    prediction_id: z.string(),
    round_id: z.string(),
    model_id: z.string(),
    input: z.object({
      ...scopeFields,
      records: z
        .array(z.object({ ts_event: zonedTimeSchema, ts_known: zonedTimeSchema, ts_ingested: zonedTimeSchema }))
        .meta({
          description: `Records of the round's series in its input window, oldest first, at most the newest ${recordLimit}. Old ones may have been deleted.`,
        }),
      value: contractValue.meta({ description: 'What the models were given.' }),
      performed_at: zonedTimeSchema,
    }),
    answer: z.object({
      status: predictionStatus,
      asked_at: zonedTimeSchema,
      duration_ms: numberOrNull,
      stored_at: at.meta({ description: 'When the answers of all models were stored. UTC, with Z.' }),
      output: contractValue,
      hidden_until: at,
      reason: textOrNull,
      blame: blame.nullable(),
      detail: textOrNull.meta({ description: 'The reason in words; only for the owner and admins.' }),
    }),
    truth: z.object({
      resolvable_at: zonedTimeSchema,
      expires_at: zonedTimeSchema,
      value: contractValue,
      void_reason: textOrNull,
    }),
    score: z
      .object({
        kind: z.enum(['valid', 'imputed', 'failed']),
        value: z.record(z.string(), z.unknown()).nullable(),
        reason: textOrNull,
        scored_at: zonedTimeSchema,
        contract_version: z.number().int().nullable(),
      })
      .nullable(),
    snapshot: z
      .object({ id: z.string(), period_start: zonedTimeSchema, period_end: zonedTimeSchema })
      .nullable()
      .meta({ description: 'The snapshot in which the score counts; null until its period closes.' }),
    leaderboard: z
      .object({ as_of: zonedTimeSchema, rank: z.number().int().nullable() })
      .nullable()
      .meta({ description: 'The first board with the score.' }),
    checkpoint_id: textOrNull.meta({ description: 'The payout in which the score counts; null until it closes.' }),
  })
  .meta({ id: 'PredictionTrace' })

export const trace = defineRoute({
  method: 'get',
  path: '/reports/predictions/{prediction_id}/trace',
  params: z.object({ prediction_id: rowIdField }),
  tag: 'Predictions',
  summary:
    'The history of one prediction: input records, call, truth, score, and the snapshot, leaderboard and checkpoint that include it.',
  description: "With a participant key, only traces of that participant's models are visible; others return 404.",
  tier: 'read',
  errors: [404],
  answer: traceRow,
  example: { path: '/reports/predictions/PRE_oracle_INP_BTCUSDT-5m_20260301_110000.000/trace' },
})

export const serveTrace = serveRoute(trace, ({ reads, contract }) => async ({ params, viewer }) => {
  const known = await knownPrediction(reads, params.prediction_id)
  const gate = await answerGate(viewer, reads, contract)
  const { prediction, score } = known.report
  if (viewer.role === 'participant' && !gate.seesDiagnostics(prediction.modelId)) {
    throw new CrunchError('NOT_FOUND', `None of your models has a prediction ${prediction.id}.`)
  }
  const { round } = known
  const { output, hidden_until, truth } = answerFields(known.report, gate)
  const [records, counted] = await Promise.all([
    inputRecords(reads, known, contract),
    countedIn(reads, known, contract),
  ])
  return {
    prediction_id: prediction.id,
    round_id: round.id,
    model_id: prediction.modelId,
    input: { ...round.scope, records, value: round.input, performed_at: zonedTime(round.performedAt) },
    answer: {
      status: prediction.status,
      asked_at: zonedTime(round.performedAt),
      duration_ms: prediction.durationMs,
      stored_at: timeOrNull(round.answeredAt),
      output,
      hidden_until,
      reason: prediction.reason,
      blame: prediction.blame,
      detail: gate.seesDiagnostics(prediction.modelId) ? prediction.detail : null,
    },
    truth: {
      resolvable_at: zonedTime(round.resolvableAt),
      expires_at: zonedTime(round.expiresAt),
      value: truth,
      void_reason: round.voidReason,
    },
    score:
      score === null
        ? null
        : {
            kind: score.kind,
            value: score.value,
            reason: score.reason,
            scored_at: zonedTime(score.scoredAt),
            contract_version: score.contractVersion,
          },
    ...counted,
  }
})

async function inputRecords(
  reads: Pick<ReportReads, 'latestRecords'>,
  { round }: KnownPrediction,
  { inputWindowMs }: ReportContract,
) {
  const records = await reads.latestRecords(round.scope, recordLimit, round.performedAt)
  return records
    .filter(({ knownAt }) => knownAt > round.performedAt - inputWindowMs)
    .map(({ eventAt, knownAt, receivedAt }) => ({
      ts_event: zonedTime(eventAt),
      ts_known: zonedTime(knownAt),
      ts_ingested: zonedTime(receivedAt),
    }))
}

/** A score counts in the period of the time at which the truth could be known. A void round counts nowhere. */
async function countedIn(reads: ReportReads, { round, report }: KnownPrediction, { snapshotEveryMs }: ReportContract) {
  if (round.status !== 'RESOLVED' || round.voidReason !== null)
    return { snapshot: null, leaderboard: null, checkpoint_id: null }
  const { modelId } = report.prediction
  const [end] = await periodEndsBehind(reads, round.resolvableAt, snapshotEveryMs)
  const ends = end === undefined ? [] : [end]
  const [[snapshot], [board], [payout]] = await Promise.all([
    reads.snapshotsAt(ends, [modelId]),
    reads.leaderboardsAt(ends, [modelId]),
    reads.checkpoints({ limit: 1, at: round.resolvableAt }),
  ])
  return {
    snapshot:
      snapshot === undefined
        ? null
        : {
            id: snapshot.id,
            period_start: zonedTime(snapshot.periodStart),
            period_end: zonedTime(snapshot.periodEnd),
          },
    leaderboard:
      board === undefined
        ? null
        : {
            as_of: zonedTime(board.asOf),
            rank: board.entries[0]?.rank ?? null,
          },
    checkpoint_id: payout?.id ?? null,
  }
}

/** Ends of periods that contain an instant. The last period of an era may be shorter than the others. */
async function periodEndsBehind(reads: ReportReads, at: Instant, everyMs: number): Promise<readonly Instant[]> {
  const periods = await reads.periodsBetween(at - everyMs, at + everyMs)
  return periods.filter(({ periodStart, periodEnd }) => periodStart <= at && at < periodEnd).map((one) => one.periodEnd)
}
