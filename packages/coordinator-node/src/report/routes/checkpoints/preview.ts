import { z } from 'zod'
import { CrunchError } from '../../../domain/errors.ts'
import { maxOpenRounds } from '../../../ports/payout/checkpoint-preview.ts'
import type { RoundSummary } from '../../../ports/reads/page-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { count, zonedTime as zonedTimeSchema } from '../../schemas/fields.ts'
import { checkpointRow } from './checkpoint-schema.ts'
import { checkpointReports } from './checkpoints.ts'

const { meta } = checkpointRow.shape

export const checkpointPreview = defineRoute({
  method: 'get',
  path: '/reports/checkpoints/preview',
  tag: 'Checkpoints',
  summary: 'What the next checkpoint would pay if its period ended now, by the rules that will close it.',
  description:
    'Nothing is stored. It counts the closed snapshot periods since `period_start`, and changes when another one closes; it is computed at most every 5 s.',
  tier: 'read',
  errors: [404],
  answer: z
    .object({
      period_start: zonedTimeSchema,
      counted_until: zonedTimeSchema.meta({
        description:
          'The end of the newest closed snapshot period in it; `period_start` before the first. UTC, with Z.',
      }),
      period_end: zonedTimeSchema.meta({ description: 'When the period ends. UTC, with Z.' }),
      computed_at: zonedTimeSchema,
      entries: checkpointRow.shape.entries,
      meta: meta.meta({
        description:
          'As of a checkpoint: `ranking` has the share of each model, or why it is not paid; `unmapped_model_ids` those without a wallet.',
      }),
      open_rounds: z
        .array(
          z.object({ id: z.string(), performed_at: zonedTimeSchema, resolvable_at: zonedTimeSchema, answers: count }),
        )
        .meta({
          description: `Rounds of the period whose truth is not known yet, among the newest ${maxOpenRounds} open ones; \`answers\` wait for it.`,
        }),
    })
    .meta({ id: 'CheckpointPreview' }),
  example: { path: '/reports/checkpoints/preview' },
})

export const serveCheckpointPreview = serveRoute(
  checkpointPreview,
  ({ reads, contract, payouts, previewCheckpoint }) =>
    async () => {
      if (previewCheckpoint === undefined) {
        throw new CrunchError(
          'NOT_FOUND',
          'This node previews no checkpoint: GET /reports/checkpoints has the closed ones.',
        )
      }
      const { checkpoint, endsAt, openRounds } = await previewCheckpoint()
      const [row] = await checkpointReports(reads, contract, [checkpoint], payouts)
      const { entries, meta } = row as z.input<typeof checkpointRow>
      return {
        period_start: zonedTime(checkpoint.periodStart),
        counted_until: zonedTime(checkpoint.periodEnd),
        period_end: zonedTime(endsAt),
        computed_at: zonedTime(checkpoint.createdAt),
        ...{ entries, meta },
        open_rounds: openRounds.map(openRow),
      }
    },
)

function openRow({ round, counts }: RoundSummary) {
  return {
    id: round.id,
    performed_at: zonedTime(round.performedAt),
    resolvable_at: zonedTime(round.resolvableAt),
    answers: counts.PENDING,
  }
}
