import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { Round } from '../../../domain/round.ts'
import type { ReportReads, RoundReport } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { rowIdField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { answerGate } from '../../rows/hidden-answers.ts'
import { timeOrNull, zonedTime } from '../../rows/row-fields.ts'
import { scopeFieldsOf } from '../../rows/scope-fields.ts'
import { contractValue, count, textOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { questionFields } from '../../schemas/question.ts'
import { predictionRow as predictionSchema } from '../predictions/prediction-schema.ts'
import { predictionRow } from '../predictions/predictions.ts'

export const roundRow = z
  .object({
    id: z.string(),
    era: z.number().int(),
    prediction_config_id: z.string().meta({ description: 'The key of the schedule.' }),
    ...questionFields,
    status: z.enum(['RECEIVED', 'RESOLVED']),
    performed_at: zonedTimeSchema,
    answered_at: zonedTimeSchema.nullable(),
    resolvable_at: zonedTimeSchema.meta({ description: 'From when on the truth can be known. UTC, with Z.' }),
    expires_at: zonedTimeSchema.meta({ description: 'When the round is given up. UTC, with Z.' }),
    missed_before: count.meta({ description: 'Rounds of the schedule that the node missed just before.' }),
    input: contractValue,
    truth: contractValue.meta({ description: 'Null until it is known, and in a void round.' }),
    void_reason: textOrNull,
  })
  .meta({ id: 'Round' })

export const oneRound = defineRoute({
  method: 'get',
  path: '/reports/rounds/{round_id}',
  params: z.object({ round_id: rowIdField }),
  tag: 'Rounds',
  summary: 'One round: the question, its truth, and all predictions.',
  tier: 'read',
  errors: [404],
  answer: roundRow.extend({ predictions: z.array(predictionSchema) }).meta({ id: 'RoundWithPredictions' }),
  example: { path: '/reports/rounds/INP_BTCUSDT-5m_20260301_110000.000' },
})

export const serveOneRound = serveRoute(oneRound, ({ reads, contract }) => async ({ params, viewer }) => {
  const [report, gate] = await Promise.all([knownRound(reads, params.round_id), answerGate(viewer, reads, contract)])
  return {
    ...roundFields(report.round),
    predictions: report.predictions.map((one) => predictionRow(one, contract, gate)),
  }
})

/** Rejects with NOT_FOUND. */
async function knownRound(reads: Pick<ReportReads, 'roundReport'>, id: string): Promise<RoundReport> {
  const report = await reads.roundReport(id)
  if (report !== null) return report
  throw new CrunchError(
    'NOT_FOUND',
    `There is no round ${id}; GET /reports/predictions lists the newest ones as round_id.`,
  )
}

export function roundFields(round: Round): z.input<typeof roundRow> {
  return { ...listedFields(round), input: round.input }
}

/** All but the input, which can be long. */
export function listedFields(round: Omit<Round, 'input'>): Omit<z.input<typeof roundRow>, 'input'> {
  return {
    id: round.id,
    era: round.era,
    prediction_config_id: round.scheduleKey,
    ...scopeFieldsOf(round),
    status: round.status,
    performed_at: zonedTime(round.performedAt),
    answered_at: timeOrNull(round.answeredAt),
    resolvable_at: zonedTime(round.resolvableAt),
    expires_at: zonedTime(round.expiresAt),
    missed_before: round.missedBefore,
    truth: round.actuals,
    void_reason: round.voidReason,
  }
}
