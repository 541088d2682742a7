import type { Hono } from 'hono'
import { z } from 'zod'
import type { Leaderboard, LeaderboardEntry } from '../domain/leaderboard.ts'
import type { Model } from '../domain/models/model.ts'
import { roleOf } from '../domain/models/model-role.ts'
import type { Instant } from '../domain/time.ts'
import type { ReportReads } from '../ports/report-reads.ts'
import { jsonResponse } from './json-response.ts'
import { flagField, instantField, readQuery } from './query-fields.ts'
import type { ReportContext, ReportContract } from './report-context.ts'
import { isEnsemble, numbersOf, windowKey, zonedTime } from './row-fields.ts'

const querySchema = z.object({ include_ensembles: flagField, until: instantField })

/**
 * The newest leaderboard, or the newest of no later than `until`, in the order in which it is shown: best first, unranked
 * ones last; `[]` before the first.
 */
export function addLeaderboardRoute(app: Hono, { reads, contract }: ReportContext): void {
  app.get('/reports/leaderboard', async (context) => {
    const query = readQuery(context, querySchema)
    const rows = await leaderboardRows(reads, contract, query.until)
    return jsonResponse(
      context,
      rows.filter((row) => query.include_ensembles || !isEnsemble(row.model_id)),
    )
  })
}

/** The rows of the newest leaderboard, or of the newest of no later than `until`. */
export async function leaderboardRows(
  reads: Pick<ReportReads, 'latestLeaderboard' | 'models'>,
  contract: ReportContract,
  until?: Instant,
): Promise<readonly LeaderboardReport[]> {
  const [leaderboard, models] = await Promise.all([reads.latestLeaderboard(until), reads.models()])
  return boardRows(leaderboard, models, contract)
}

/** The rows of a leaderboard, as the API and the command line show them. */
export function boardRows(
  leaderboard: Leaderboard | null,
  models: readonly Model[],
  contract: ReportContract,
): readonly LeaderboardReport[] {
  if (leaderboard === null) return []
  const byId = new Map(models.map((model) => [model.id, model]))
  return leaderboard.entries.map((entry) => leaderboardRow(entry, leaderboard, contract, byId))
}

export type LeaderboardReport = ReturnType<typeof leaderboardRow>

function leaderboardRow(
  entry: LeaderboardEntry,
  leaderboard: Leaderboard,
  contract: ReportContract,
  models: ReadonlyMap<string, Model>,
) {
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
