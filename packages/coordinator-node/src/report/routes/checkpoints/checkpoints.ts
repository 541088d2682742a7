import { z } from 'zod'
import type { Checkpoint, CheckpointEntry, Winner } from '../../../domain/checkpoint.ts'
import type { ContractVersion } from '../../../domain/era.ts'
import type { Model } from '../../../domain/models/model.ts'
import { roleOf } from '../../../domain/models/model-role.ts'
import { emissionRow } from '../../../domain/payout/payout-files.ts'
import { winnersOf } from '../../../domain/payout/winners.ts'
import type { Payouts, WinnersReport } from '../../../ports/payout/payouts.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { cursorField, pageOf } from '../../http/cursor.ts'
import { defineRoute } from '../../http/define-route.ts'
import { limitField } from '../../http/query-fields.ts'
import { type ReportRequest, serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { zonedTime } from '../../rows/row-fields.ts'
import { versionRow } from '../node/contract-version.ts'
import { checkpointStatuses, type emission, checkpointRow as rowSchema } from './checkpoint-schema.ts'

type CheckpointRow = z.input<typeof rowSchema>

/** Of one answer: about 20 MB. */
export const maxEntries = 50_000
export const checkpointCursor = cursorField(z.tuple([z.int()]))

export const checkpoints = defineRoute({
  method: 'get',
  path: '/reports/checkpoints',
  tag: 'Checkpoints',
  summary: 'Payouts, newest first.',
  description: `An answer has fewer than \`limit\` payouts if these have more than ${maxEntries} models; the next page has older ones.`,
  tier: 'read',
  extra: 'charts',
  query: z.object({
    // A form's empty choice means any status.
    status: z
      .enum(['', ...checkpointStatuses], `must be one of ${checkpointStatuses.join(', ')}`)
      .transform((status) => (status === '' ? undefined : status))
      .optional(),
    limit: limitField(20, 100),
    cursor: checkpointCursor,
  }),
  answer: z.array(rowSchema),
  example: { path: '/reports/checkpoints?limit=1' },
})

export const serveCheckpoints = serveRoute(
  checkpoints,
  ({ reads, contract }) =>
    async ({ query: { status, limit, cursor }, context }) => {
      const filter = { ...(status === undefined ? {} : { status }), before: cursor?.[0], limit }
      return checkpointReports(reads, contract, await checkpointPage(reads, filter, context))
    },
)

/** A page of checkpoints, newest first, that have at most {@link maxEntries} models together: a checkpoint has every model. */
export async function checkpointPage(
  reads: Pick<ReportReads, 'checkpoints' | 'models'>,
  filter: Parameters<ReportReads['checkpoints']>[0],
  context: ReportRequest,
): Promise<readonly Checkpoint[]> {
  const modelCount = (await reads.models()).length
  const limit = Math.max(1, Math.min(filter.limit, Math.floor(maxEntries / Math.max(1, modelCount))))
  const found = await reads.checkpoints({ ...filter, limit: limit + 1 })
  return pageOf(found, limit, { context, keyOf: ({ periodEnd }) => [periodEnd] })
}

/** Checkpoints as the API gives them, newest first. */
export async function checkpointRows(
  reads: ReportReads,
  contract: ReportContract,
  filter: Parameters<ReportReads['checkpoints']>[0],
): Promise<CheckpointRow[]> {
  return checkpointReports(reads, contract, await reads.checkpoints(filter))
}

/**
 * Stored checkpoints as the API gives them, in their order. Without `payouts`, which may ask another host, only confirmed ones have
 * the accounts of their winners.
 */
export async function checkpointReports(
  reads: Pick<ReportReads, 'models' | 'contractVersions'>,
  contract: ReportContract,
  checkpoints: readonly Checkpoint[],
  payouts?: Pick<Payouts, 'winners'>,
): Promise<CheckpointRow[]> {
  const [models, versions] = await Promise.all([reads.models(), reads.contractVersions()])
  const byId = new Map(models.map((model) => [model.id, model]))
  return Promise.all(
    checkpoints.map(async (checkpoint) => {
      const report = await payouts?.winners(checkpoint)
      const winners = report?.winners ?? winnersOf(checkpoint, models, new Map())
      const registryProblem = report?.registryProblem ?? null
      return checkpointRow(checkpoint, contract, byId, { versions, winners, registryProblem })
    }),
  )
}

interface RowParts extends Pick<WinnersReport, 'winners' | 'registryProblem'> {
  readonly versions: readonly ContractVersion[]
}

function checkpointRow(
  checkpoint: Checkpoint,
  contract: ReportContract,
  models: ReadonlyMap<string, Model>,
  { versions, winners, registryProblem }: RowParts,
): CheckpointRow {
  return {
    id: checkpoint.id,
    period_start: zonedTime(checkpoint.periodStart),
    period_end: zonedTime(checkpoint.periodEnd),
    status: checkpoint.status,
    entries: [emissionOf(checkpoint, winners)],
    meta: {
      era: checkpoint.era,
      /** The code that computed the scores of the period, and how many of them. */
      contract_versions: versions
        .filter(({ number }) => Object.hasOwn(checkpoint.contractVersions, number))
        .map((version) => ({ ...versionRow(version), score_count: checkpoint.contractVersions[version.number] ?? 0 })),
      snapshot_count: checkpoint.snapshotCount,
      model_count: checkpoint.entries.length,
      ranking: checkpoint.entries.map((entry) => rankingRow(entry, contract, models)),
      /** The floor that a paid value had to exceed. */
      floor: checkpoint.floor,
      /** Why the whole emission is empty. */
      emission_reason: checkpoint.emissionReason,
      min_coverage: contract.minPayCoverage,
      /** Truths and scores of the period that the contract refused, and who acknowledged that. */
      refusals: checkpoint.refusals.map(({ what, count, of, reason }) => ({ what, count, of, reason })),
      acknowledged_by: checkpoint.acknowledged?.by ?? null,
      acknowledged_at: checkpoint.acknowledged === null ? null : zonedTime(checkpoint.acknowledged.at),
      moves: checkpoint.moves.map(({ to, at, transactionId, isVerified }) => ({
        to,
        at: zonedTime(at),
        tx_hash: transactionId,
        is_verified: isVerified,
      })),
      unmapped_model_ids: winners.filter(({ wallet }) => wallet === null).map(({ modelId }) => modelId),
      registry_problem: registryProblem,
    },
    created_at: zonedTime(checkpoint.createdAt),
    tx_hash: checkpoint.transactionId,
    submitted_at: checkpoint.submittedAt === null ? null : zonedTime(checkpoint.submittedAt),
  }
}

function rankingRow(entry: CheckpointEntry, contract: ReportContract, models: ReadonlyMap<string, Model>) {
  const model = models.get(entry.modelId)
  return {
    model_id: entry.modelId,
    model_name: model?.name ?? null,
    cruncher_id: model?.cruncherId ?? null,
    cruncher_name: model?.cruncherName ?? null,
    rank: entry.rank,
    role: model === undefined ? null : roleOf(model, contract.organizer),
    value: entry.value,
    result_summary: { [contract.value]: entry.value },
    prediction_count: entry.scoreCount,
    due_count: entry.dueCount,
    answered_count: entry.validCount,
    round_count: entry.roundCount,
    coverage: entry.coverage,
    cruncher_index: null,
    reward_pct: entry.rewardFrac64,
    unpaid_reason: entry.unpaidReason,
  }
}

/** A payout in the form of the chain's emissions. */
export function emissionOf(checkpoint: Checkpoint, winners: readonly Winner[]): z.input<typeof emission> {
  const { cruncher_rewards, compute_provider_rewards, data_provider_rewards, crunch } = emissionRow(checkpoint, winners)
  return {
    crunch,
    cruncher_rewards: [...cruncher_rewards],
    compute_provider_rewards: [...compute_provider_rewards],
    data_provider_rewards: [...data_provider_rewards],
  }
}
