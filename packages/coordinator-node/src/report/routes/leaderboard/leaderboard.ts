import { z } from 'zod'
import type { Leaderboard, LeaderboardEntry } from '../../../domain/leaderboard.ts'
import type { Model } from '../../../domain/models/model.ts'
import { roleOf } from '../../../domain/models/model-role.ts'
import type { Instant } from '../../../domain/time.ts'
import type { ReportReads } from '../../../ports/report-reads.ts'
import { defineRoute } from '../../http/define-route.ts'
import { flagField, instantField } from '../../http/query-fields.ts'
import { serveRoute } from '../../http/serve-route.ts'
import type { ReportContract } from '../../report-context.ts'
import { isEnsemble, numbersOf, windowKey, zonedTime } from '../../rows/row-fields.ts'
import { leaderboardRow as rowSchema } from './leaderboard-schema.ts'

export const leaderboard = defineRoute({
  method: 'get',
  path: '/reports/leaderboard',
  tag: 'Leaderboard',
  summary: 'The newest leaderboard, or the newest of no later than `until`, in the order in which it is shown.',
  description: 'Best first, unranked models last. Empty before the first snapshot period closes.',
  tier: 'public',
  extra: 'charts',
  query: z.object({ include_ensembles: flagField, until: instantField }),
  answer: z.array(rowSchema),
  example: { path: '/reports/leaderboard' },
})

export const serveLeaderboard = serveRoute(leaderboard, ({ reads, contract }) => async ({ query }) => {
  const rows = await leaderboardRows(reads, contract, query.until)
  return rows.filter((row) => query.include_ensembles || !isEnsemble(row.model_id))
})

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
  const windows = numbersOf([...new Set([...contract.windows, ...Object.keys(entry.windows)])], entry.windows)
  const metrics = numbersOf([...new Set([...contract.metrics, ...Object.keys(entry.metrics)])], entry.metrics)
  const means = Object.fromEntries(Object.entries(windows).map(([name, value]) => [windowKey(name), value]))
  // Windows come first, and a metric of the same name does not replace one.
  const scores = { ...means, ...metrics, ...means }
  return {
    // First, so that no metric can take the place of a column that every competition has.
    ...scores,
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
    score_ranking: {
      key: windowKey(leaderboard.rankBy),
      value: windows[leaderboard.rankBy] ?? null,
      direction: leaderboard.direction,
      newcomers: contract.newcomers,
      min_coverage: contract.minRankCoverage,
      /** The contract orders the models (`leaderboard.rank`), so the order can differ from that of `value`. */
      own_order: contract.hasOwnOrder,
    },
  }
}
