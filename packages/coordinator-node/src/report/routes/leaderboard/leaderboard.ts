import { z } from 'zod'
import type { Leaderboard, LeaderboardEntry } from '../../../domain/leaderboard.ts'
import type { Model } from '../../../domain/models/model.ts'
import { roleOf } from '../../../domain/models/model-role.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads } from '../../../ports/reads/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { flagField, instantField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import { sharedRead } from '../../http/shared-read.ts'
import type { ReportContract } from '../../report-context.ts'
import { boardScores } from '../../rows/board-scores.ts'
import { isEnsemble, withNumbers, zonedTime } from '../../rows/row-fields.ts'
import { leaderboardRow as rowSchema } from './leaderboard-schema.ts'

export const leaderboard = defineRoute({
  method: 'get',
  path: '/reports/leaderboard',
  tag: 'Leaderboard',
  summary: 'The newest leaderboard, or the newest one at or before `until`, in display order.',
  description: 'Best first, unranked models last. Empty before the first snapshot period closes.',
  tier: 'public',
  extra: 'charts',
  query: z.object({ include_ensembles: flagField, until: instantField }),
  answer: z.array(rowSchema),
  example: { path: '/reports/leaderboard' },
})

export const serveLeaderboard = serveRoute(
  leaderboard,
  ({ reads, contract }) =>
    async ({ query }) => {
      const rows = await leaderboardRows(reads, contract, query.until)
      return rows.filter((row) => query.include_ensembles || !isEnsemble(row.model_id))
    },
  ({ reads }) => {
    const newest = sharedRead(() => reads.leaderboardVersion())
    return async ({ query: { until, include_ensembles: all } }) => {
      const version = await (until === undefined ? newest() : reads.leaderboardVersion(until))
      return `${all ? 'all' : 'models'} ${version}`
    }
  },
)

/** The rows of the newest leaderboard, or of the newest of no later than `until`. */
export async function leaderboardRows(
  reads: Pick<ReportReads, 'latestLeaderboard' | 'models'>,
  contract: ReportContract,
  until?: Instant,
): Promise<LeaderboardReport[]> {
  const [leaderboard, models] = await Promise.all([reads.latestLeaderboard(until), reads.models()])
  return boardRows(leaderboard, models, contract)
}

/** The rows of a leaderboard, as the API and the command line show them. */
export function boardRows(
  leaderboard: Leaderboard | null,
  models: readonly Model[],
  contract: ReportContract,
): LeaderboardReport[] {
  if (leaderboard === null) return []
  const byId = new Map(models.map((model) => [model.id, model]))
  return leaderboard.entries.map((entry) => leaderboardRow(entry, leaderboard, contract, byId))
}

export type LeaderboardReport = z.input<typeof rowSchema>

function leaderboardRow(
  entry: LeaderboardEntry,
  leaderboard: Leaderboard,
  contract: ReportContract,
  models: ReadonlyMap<string, Model>,
): LeaderboardReport {
  const model = models.get(entry.modelId)
  const { scores, ranking } = boardScores(entry, leaderboard, contract)
  const row = {
    created_at: zonedTime(leaderboard.asOf),
    era: leaderboard.era,
    model_id: entry.modelId,
    model_name: model?.name ?? null,
    cruncher_id: model?.cruncherId ?? null,
    cruncher_name: model?.cruncherName ?? null,
    username: model?.cruncherName ?? null,
    rank: entry.rank,
    unranked_reason: entry.unrankedReason,
    role: model === undefined ? null : roleOf(model, contract.organizer),
    /** Whether the model answered anything in the ranking window; shown as a pulse next to its name. */
    status: (entry.coverage ?? 0) > 0 ? 'active' : 'inactive',
    coverage: entry.coverage,
    score_count: entry.scoreCount,
    /**
     * Rounds in which it has a valid score, not an imputed one, of all that count; `null` on a board that an earlier
     * version closed.
     */
    answered_count: entry.validCount,
    round_count: entry.roundCount,
    score_metrics: scores,
    /** The keys of `score_metrics` in the contract's order, which JSON objects do not keep. */
    score_columns: Object.keys(scores),
    score_ranking: ranking,
  } as const
  return withNumbers(row, scores)
}
