import { z } from 'zod'
import type { CheckpointStatus } from '../../../domain/checkpoint.ts'
import { count, numberOrNull, role, textOrNull, zonedTime } from '../../schemas/fields.ts'
import { contractVersion } from '../node/contract-version.ts'

export const checkpointStatuses = ['PENDING', 'SUBMITTED', 'CLAIMABLE', 'PAID'] as const satisfies CheckpointStatus[]

const frac64 = z.number().int().min(0).max(1_000_000_000).meta({ description: '1,000,000,000 is 100 %.' })

const providerReward = z.object({ provider: z.string(), reward_pct: frac64 })

/** The payout in the form of the chain's emissions. */
export const emission = z
  .object({
    crunch: z.string().meta({ description: 'The address on chain; empty while the operator has not set it.' }),
    cruncher_rewards: z.array(
      z.object({
        cruncher_index: count.meta({
          description: 'POSITION of the model in `meta.ranking`, as the web page reads it; never an index on chain.',
        }),
        reward_pct: frac64,
        onchain_cruncher_index: z.number().int().nullable().meta({
          description:
            "The cruncher's index on chain; null until it is mapped, and in a list until the payout is confirmed.",
        }),
      }),
    ),
    compute_provider_rewards: z.array(providerReward),
    data_provider_rewards: z.array(providerReward),
  })
  .meta({ id: 'Emission' })

export const rankingRow = z
  .object({
    model_id: z.string(),
    model_name: textOrNull,
    cruncher_id: textOrNull,
    cruncher_name: textOrNull,
    rank: z.number().int().nullable().meta({ description: 'Among the payable models; null for others.' }),
    role: role.nullable(),
    value: numberOrNull.meta({ description: 'Over exactly this period.' }),
    result_summary: z.record(z.string(), numberOrNull),
    prediction_count: count,
    due_count: count,
    answered_count: count,
    round_count: count,
    coverage: numberOrNull,
    cruncher_index: z.null().meta({ description: 'Always null: see `onchain_cruncher_index`.' }),
    reward_pct: frac64,
    unpaid_reason: z
      .enum([
        'baseline',
        'organizer',
        'retired',
        'no_answer',
        'no_value',
        'low_coverage',
        'floor_unknown',
        'not_above_floor',
        'no_share',
      ])
      .nullable(),
  })
  .meta({ id: 'CheckpointRanking' })

export const registryNote =
  'Why the wallets and indexes of the winners cannot be read; null if they can, and in a list. The log of the node has the cause.'

export const checkpointRow = z
  .object({
    id: z.string().meta({ examples: ['CKP_20260301_000000'] }),
    period_start: zonedTime,
    period_end: zonedTime,
    status: z.enum(checkpointStatuses),
    entries: z.array(emission),
    meta: z.object({
      era: z.number().int(),
      contract_versions: z
        .array(contractVersion.extend({ score_count: count }))
        .meta({ description: 'The code that computed the scores of the period, and how many of them.' }),
      snapshot_count: count,
      model_count: count,
      ranking: z.array(rankingRow),
      floor: numberOrNull.meta({ description: 'The floor that a paid value had to exceed.' }),
      emission_reason: z
        .enum(['no_payable_model', 'floor_unknown', 'nobody_above_floor'])
        .nullable()
        .meta({ description: 'Why the whole emission is empty.' }),
      min_coverage: z.number(),
      refusals: z
        .array(
          z.object({ what: z.enum(['inputs', 'truths', 'scores']), count, of: count.nullable(), reason: z.string() }),
        )
        .meta({ description: 'Truths and scores of the period that the contract refused.' }),
      acknowledged_by: textOrNull,
      acknowledged_at: zonedTime.nullable(),
      moves: z
        .array(
          z.object({
            to: z.enum(checkpointStatuses),
            at: zonedTime,
            tx_hash: textOrNull,
            is_verified: z.boolean().nullable().meta({
              description: 'Whether the chain had the transaction as final and successful; null for later steps.',
            }),
          }),
        )
        .meta({ description: 'The steps of its status, oldest first.' }),
      unmapped_model_ids: z
        .array(z.string())
        .meta({ description: 'Paid models without a wallet; in a list, of a payout that is not confirmed: all.' }),
      registry_problem: textOrNull.meta({ description: registryNote }),
    }),
    created_at: zonedTime,
    tx_hash: textOrNull,
    submitted_at: zonedTime.nullable(),
  })
  .meta({ id: 'Checkpoint' })
