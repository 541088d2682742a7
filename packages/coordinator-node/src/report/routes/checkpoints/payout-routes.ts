import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import type { Payouts } from '../../../ports/payout/payouts.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContext } from '../../report-context.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { count, textOrNull, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { checkpointRow, checkpointStatuses, emission, registryNote } from './checkpoint-schema.ts'
import { checkpointReports, emissionOf } from './checkpoints.ts'
import { knownCheckpoint, newestCheckpoint } from './single-checkpoints.ts'

type CheckpointRow = z.input<typeof checkpointRow>

const shared = { tag: 'Checkpoints', errors: [404, 409] } as const
const params = z.object({ checkpoint_id: idField })
const newest = 'CKP_20260301_113000.000'
const older = 'CKP_20260301_110000.000'
const transactionId = '99eUso3aSbE9tqGSTXzo3TLfKb9RkMTURrHKQ1K7Zh3BbeqPevr5E1iCbpTjqHuTFLtfxTTD5ekfVuZFzQyEQf8'

export const checkpointEmission = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/checkpoints/{checkpoint_id}/emission',
  params,
  tier: 'read',
  errors: [404],
  summary: "A payout in the form of the chain's emissions: `entries[0]` of the checkpoint.",
  answer: emission,
  example: { path: `/reports/checkpoints/${newest}/emission` },
})

export const serveCheckpointEmission = serveRoute(checkpointEmission, ({ reads, payouts }) => async ({ params }) => {
  const checkpoint = await knownCheckpoint(reads, params.checkpoint_id)
  return emissionOf(checkpoint, (await payouts?.winners(checkpoint))?.winners ?? [])
})

export const latestEmission = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/emissions/latest',
  tier: 'read',
  errors: [404],
  summary: "The newest payout in the form of the chain's emissions.",
  answer: z
    .object({
      checkpoint_id: z.string(),
      status: z.enum(checkpointStatuses),
      period_start: zonedTimeSchema,
      period_end: zonedTimeSchema,
      emission,
      registry_problem: textOrNull.meta({ description: registryNote }),
    })
    .meta({ id: 'LatestEmission' }),
  example: { path: '/reports/emissions/latest' },
})

export const serveLatestEmission = serveRoute(latestEmission, ({ reads, payouts }) => async () => {
  const checkpoint = await newestCheckpoint(reads)
  const report = await payouts?.winners(checkpoint)
  return {
    checkpoint_id: checkpoint.id,
    status: checkpoint.status,
    period_start: zonedTime(checkpoint.periodStart),
    period_end: zonedTime(checkpoint.periodEnd),
    emission: emissionOf(checkpoint, report?.winners ?? []),
    registry_problem: report?.registryProblem ?? null,
  }
})

const percentages = z.record(z.string(), z.number())

export const cliFormat = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/checkpoints/{checkpoint_id}/emission/cli-format',
  params,
  tier: 'admin',
  summary:
    "The payout file for the chain's command line: a percentage per wallet. The percentages add up to exactly 100.",
  description:
    'Answers 409 if a winner has no wallet, or if refused scores were not acknowledged; the error lists them.',
  answer: z
    .object({
      crunch: z.string(),
      crunchEmission: percentages,
      computeProvider: percentages,
      dataProvider: percentages,
    })
    .meta({ id: 'CliEmission' }),
  example: { path: `/reports/checkpoints/${newest}/emission/cli-format` },
})

/** As text: a parsed number would lose digits. */
export const serveCliFormat = serveRoute(cliFormat, (report) => async ({ params, context }) => {
  const { id } = await knownCheckpoint(report.reads, params.checkpoint_id)
  return context.body(await payoutsOf(report).file(id, 'cli'), 200, {
    'content-type': 'application/json; charset=utf-8',
  })
})

const prize = z
  .object({
    prizeId: z.string(),
    timestamp: z.number().int().meta({ description: 'End of the period, in Unix seconds.' }),
    model: z.string(),
    prize: count.meta({ description: 'In micro-units; all prizes add up to `total_prize`.' }),
  })
  .meta({ id: 'Prize' })

const prizeQuery = z.object({
  total_prize: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number of micro-units that is not negative')
    .transform(Number)
    .default(0)
    .meta({ description: 'In micro-units: 1,000,000 is one token.', type: 'integer', minimum: 0, default: 0 }),
})

export const checkpointPrizes = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/checkpoints/{checkpoint_id}/prizes',
  params,
  query: prizeQuery,
  tier: 'admin',
  summary: 'The prizes of a payout, best first, as the web page imports them.',
  answer: z.array(prize),
  example: { path: `/reports/checkpoints/${newest}/prizes?total_prize=1000000` },
})

export const serveCheckpointPrizes = serveRoute(checkpointPrizes, (report) => async ({ params, query }) => {
  const { id } = await knownCheckpoint(report.reads, params.checkpoint_id)
  return prizesOf(report, id, query.total_prize)
})

export const latestPrizes = defineRoute({
  ...shared,
  method: 'get',
  path: '/reports/checkpoints/latest/prizes',
  query: prizeQuery,
  tier: 'admin',
  summary: 'The prizes of the newest payout.',
  answer: z
    .object({
      checkpoint_id: z.string(),
      status: z.enum(checkpointStatuses),
      period_start: zonedTimeSchema,
      period_end: zonedTimeSchema,
      total_prize: count,
      prizes: z.array(prize),
    })
    .meta({ id: 'LatestPrizes' }),
  example: { path: '/reports/checkpoints/latest/prizes?total_prize=1000000' },
})

export const serveLatestPrizes = serveRoute(latestPrizes, (report) => async ({ query: { total_prize } }) => {
  const checkpoint = await newestCheckpoint(report.reads)
  return {
    checkpoint_id: checkpoint.id,
    status: checkpoint.status,
    period_start: zonedTime(checkpoint.periodStart),
    period_end: zonedTime(checkpoint.periodEnd),
    total_prize,
    prizes: await prizesOf(report, checkpoint.id, total_prize),
  }
})

async function prizesOf(report: ReportContext, id: string, total: number): Promise<z.input<typeof prize>[]> {
  return z.array(prize).parse(JSON.parse(await payoutsOf(report).file(id, 'prizes-json', total)))
}

export const confirmCheckpoint = defineRoute({
  ...shared,
  method: 'post',
  path: '/reports/checkpoints/{checkpoint_id}/confirm',
  params,
  tier: 'admin',
  summary: 'Records the transaction that pays a checkpoint, which becomes SUBMITTED.',
  description:
    'The same transaction again changes nothing. 409: another transaction pays it, or a winner has no wallet.',
  body: z
    .object({
      tx_hash: z.string('tx_hash required').min(1, 'tx_hash required').max(200, 'is no id of a transaction').meta({
        pattern: '^[1-9A-HJ-NP-Za-km-z]+$',
        description: 'The signature of the transaction, 64 bytes in base58.',
      }),
    })
    .meta({ id: 'Confirmation' }),
  answer: checkpointRow,
  example: { path: `/reports/checkpoints/${older}/confirm`, body: { tx_hash: transactionId } },
})

export const serveConfirmCheckpoint = serveRoute(confirmCheckpoint, (report) => async ({ params, body }) => {
  const { id } = await knownCheckpoint(report.reads, params.checkpoint_id)
  return reportOf(report, await payoutsOf(report).confirm(id, body.tx_hash))
})

export const checkpointStatus = defineRoute({
  ...shared,
  method: 'patch',
  path: '/reports/checkpoints/{checkpoint_id}/status',
  params,
  tier: 'admin',
  summary: 'Moves a checkpoint to its next status, from SUBMITTED to CLAIMABLE to PAID.',
  description: 'Its own status again changes nothing. SUBMITTED is reached by `confirm`.',
  body: z
    .object({ status: z.enum(checkpointStatuses, `Invalid status. Valid: ${checkpointStatuses.join(', ')}`) })
    .meta({ id: 'StatusChange' }),
  answer: checkpointRow,
  example: { path: `/reports/checkpoints/${older}/status`, body: { status: 'CLAIMABLE' } },
})

export const serveCheckpointStatus = serveRoute(checkpointStatus, (report) => async ({ params, body }) => {
  const { id } = await knownCheckpoint(report.reads, params.checkpoint_id)
  return reportOf(report, await payoutsOf(report).advance(id, body.status))
})

async function reportOf({ reads, contract, payouts }: ReportContext, checkpoint: Parameters<Payouts['winners']>[0]) {
  const [row] = await checkpointReports(reads, contract, [checkpoint], payouts)
  return row as CheckpointRow
}

function payoutsOf({ payouts }: Pick<ReportContext, 'payouts'>): Payouts {
  if (payouts !== undefined) return payouts
  throw new CrunchError('NOT_FOUND', 'This process makes no payouts: ask the report worker of the node.')
}
