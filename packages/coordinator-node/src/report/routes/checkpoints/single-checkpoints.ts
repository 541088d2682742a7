import { z } from 'zod'
import type { Checkpoint } from '../../../domain/checkpoint.ts'
import { CrunchError } from '../../../domain/errors.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { idField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { checkpointRow, emission } from './checkpoint-schema.ts'
import { checkpointReports } from './checkpoints.ts'

const shared = { method: 'get', tag: 'Checkpoints', tier: 'read', extra: 'charts', errors: [404] } as const

export const latestCheckpoint = defineRoute({
  ...shared,
  path: '/reports/checkpoints/latest',
  summary: 'The newest payout.',
  answer: checkpointRow,
  example: { path: '/reports/checkpoints/latest' },
})

export const serveLatestCheckpoint = serveRoute(latestCheckpoint, ({ reads, contract, payouts }) => async () => {
  const [row] = await checkpointReports(reads, contract, [await newestCheckpoint(reads)], payouts)
  return row as z.input<typeof checkpointRow>
})

export const oneCheckpoint = defineRoute({
  ...shared,
  path: '/reports/checkpoints/{checkpoint_id}',
  params: z.object({ checkpoint_id: idField }),
  summary: 'One payout.',
  answer: checkpointRow,
  example: { path: '/reports/checkpoints/CKP_20260301_103000.000' },
})

export const serveOneCheckpoint = serveRoute(oneCheckpoint, ({ reads, contract, payouts }) => async ({ params }) => {
  const [row] = await checkpointReports(reads, contract, [await knownCheckpoint(reads, params.checkpoint_id)], payouts)
  return row as z.input<typeof checkpointRow>
})

export const checkpointPayload = defineRoute({
  ...shared,
  path: '/reports/checkpoints/{checkpoint_id}/payload',
  params: z.object({ checkpoint_id: idField }),
  summary: 'The period and the emission of one payout.',
  answer: z
    .object({
      checkpoint_id: z.string(),
      period_start: zonedTimeSchema,
      period_end: zonedTimeSchema,
      entries: z.array(emission),
    })
    .meta({ id: 'CheckpointPayload' }),
  example: { path: '/reports/checkpoints/CKP_20260301_103000.000/payload' },
})

export const serveCheckpointPayload = serveRoute(
  checkpointPayload,
  ({ reads, contract, payouts }) =>
    async ({ params }) => {
      const found = await knownCheckpoint(reads, params.checkpoint_id)
      const [row] = (await checkpointReports(reads, contract, [found], payouts)) as [z.input<typeof checkpointRow>]
      const { id, period_start, period_end, entries } = row
      return { checkpoint_id: id, period_start, period_end, entries }
    },
)

export async function newestCheckpoint(reads: Pick<ReportReads, 'checkpoints'>): Promise<Checkpoint> {
  const [newest] = await reads.checkpoints({ limit: 1 })
  if (newest === undefined) throw new CrunchError('NOT_FOUND', 'No checkpoints found: none has closed yet.')
  return newest
}

/** Rejects with NOT_FOUND, which names the newest ones. */
export async function knownCheckpoint(
  reads: Pick<ReportReads, 'checkpoint' | 'checkpoints'>,
  id: string,
): Promise<Checkpoint> {
  const found = await reads.checkpoint(id)
  if (found !== null) return found
  const newest = (await reads.checkpoints({ limit: 3 })).map((one) => one.id)
  const exist = newest.length === 0 ? 'none has closed yet' : `the newest ones are ${newest.join(', ')}`
  throw new CrunchError('NOT_FOUND', `Checkpoint not found: there is no ${id}; ${exist}.`)
}
