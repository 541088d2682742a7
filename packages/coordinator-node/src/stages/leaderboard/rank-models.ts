import { type PeriodScores, scoresIn } from '../../contract/ranking/period-scores.ts'
import type { RankableModel } from '../../contract/ranking/ranking-options.ts'
import { aggregated } from '../../contract/ranking/run-aggregate.ts'
import { ranksByContract } from '../../contract/ranking/run-rank.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { present } from '../../domain/errors.ts'
import { leaderboardId } from '../../domain/ids.ts'
import type { Leaderboard, LeaderboardEntry, UnrankedReason } from '../../domain/leaderboard.ts'
import { answeredShare, coverageOf } from '../../domain/models/coverage.ts'
import { isRetired, type Model } from '../../domain/models/model.ts'
import { roleOf } from '../../domain/models/model-role.ts'
import type { ModelTotals } from '../../domain/models/model-totals.ts'
import type { Span } from '../../domain/models/span.ts'
import { countRounds, type Standing, standingOf } from '../../domain/models/standing.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { compareRanks, rankByValue } from '../../domain/statistics/ranking.ts'
import type { Instant } from '../../domain/time.ts'

/**
 * The ranks at the end of a period, from the closed periods of the longest window before it. Models registered later
 * than `asOf` are left out, which makes the result independent of when it is computed; so are retired ones without a
 * row in the window, or leaderboards would grow with every model that ever took part.
 * @param scores of every period, by its end, if the contract defines `leaderboard.aggregate`
 */
export function rankModels(
  resolved: ResolvedContract,
  models: readonly Model[],
  span: Span,
  latestMetrics: LatestMetrics,
  asOf: Instant,
  scores: ReadonlyMap<Instant, PeriodScores> | null = null,
): Leaderboard {
  const { rankBy, direction } = resolved.contract.leaderboard
  const windows = resolved.windows.map(({ name, lengthMs }) => {
    const from = asOf - lengthMs
    const periods = span.periods.slice(firstBehind(span.periods, from))
    return { name, from, periods, roundCount: countRounds(periods), scores: scoresIn(scores, periods) }
  })
  const entries = models
    .filter((model) => model.registeredAt < asOf && (span.totals.get(model.id)?.hasRow() || !isRetired(model, asOf)))
    .map((model) => {
      const own = span.totals.get(model.id)
      return { ...modelEntry(resolved, model, windows, own, asOf), metrics: latestMetrics.get(model.id) ?? {} }
    })
  const era = resolved.era.number
  return { id: leaderboardId(asOf), era, asOf, rankBy, direction, entries: inOrder(resolved, entries) }
}

/** The metrics of the newest snapshot of each model in the longest window. */
export type LatestMetrics = ReadonlyMap<string, Snapshot['metrics']>

/** The closed periods of one window. */
interface Window {
  readonly name: string
  readonly from: Instant
  readonly periods: Span['periods']
  readonly roundCount: number
  readonly scores: readonly PeriodScores[] | null
}

function modelEntry(
  resolved: ResolvedContract,
  model: Model,
  windows: readonly Window[],
  own: ModelTotals | undefined,
  asOf: Instant,
): Omit<LeaderboardEntry, 'metrics'> {
  const { rankBy } = resolved.contract.leaderboard
  const standings = windows.map((window) => {
    const standing = standingOf(resolved, model, window.periods, window.roundCount, own)
    const { from: start, scores } = window
    return { window, standing: aggregated(resolved, model, standing, { start, end: asOf, scores }) }
  })
  const ranking = standings.find(({ window }) => window.name === rankBy)
  const { standing } = present(ranking, `the window "${rankBy}" to rank by`)
  const { scoreCount, validCount, roundCount, excusedCount } = standing
  return {
    modelId: model.id,
    rank: null,
    unrankedReason: unrankedReason(resolved, model, standing, asOf),
    windows: Object.fromEntries(standings.map(({ window, standing }) => [window.name, standing.value])),
    scoreCount,
    validCount,
    roundCount: roundCount - excusedCount,
    coverage: coverageOf(standing),
  }
}

function unrankedReason(
  { organizer, minRankCoverage }: ResolvedContract,
  model: Model,
  standing: Standing,
  asOf: Instant,
): UnrankedReason | null {
  const role = roleOf(model, organizer)
  if (role !== 'participant') return role
  if (isRetired(model, asOf)) return 'retired'
  if (standing.validCount === 0 || standing.scoreCount === 0) return 'no_data'
  if (standing.value === null) return 'no_value'
  if (answeredShare(standing) >= minRankCoverage) return null
  // If it has answered enough of its own rounds, it only needs more time.
  return standing.validCount / standing.dueCount >= minRankCoverage ? 'waiting' : 'low_coverage'
}

/**
 * Where entries without a rank are listed, after the ranked ones; a baseline is listed among the ranked ones, by its
 * value.
 */
const places: Readonly<Record<UnrankedReason, number>> = {
  baseline: 0,
  organizer: 0,
  waiting: 1,
  low_coverage: 1,
  no_data: 2,
  no_value: 2,
  retired: 3,
}

function inOrder(resolved: ResolvedContract, entries: readonly LeaderboardEntry[]): LeaderboardEntry[] {
  const { rankBy, direction } = resolved.contract.leaderboard
  const rankingValue = (entry: LeaderboardEntry) => entry.windows[rankBy] ?? null
  const sorted = (list: readonly LeaderboardEntry[], valueFor: (entry: LeaderboardEntry) => number | null) =>
    rankByValue(list, valueFor, (entry) => entry.modelId, direction)
  const byContract = ranksByContract(
    resolved.contract,
    entries.flatMap((entry) => rankable(entry, rankBy)),
  )
  const ranked =
    byContract === null
      ? sorted(entries, (entry) => (entry.unrankedReason === null ? rankingValue(entry) : null)).map(
          ({ item, rank }) => ({ ...item, rank }),
        )
      : entries.map((entry) => ({ ...entry, rank: byContract.get(entry.modelId) ?? null }))
  const placeOf = (entry: LeaderboardEntry) => {
    if (entry.unrankedReason === null) return 0
    return Math.max(places[entry.unrankedReason], rankingValue(entry) === null ? places.no_data : 0)
  }
  return (
    sorted(ranked, rankingValue)
      .map(({ item }) => item)
      // An order of the contract's own does not define the place of a baseline.
      .sort(
        (left, right) =>
          placeOf(left) - placeOf(right) || (byContract === null ? 0 : compareRanks(left.rank, right.rank)),
      )
  )
}

function rankable({ unrankedReason, modelId, windows, coverage }: LeaderboardEntry, rankBy: string): RankableModel[] {
  const value = windows[rankBy] ?? null
  if (unrankedReason !== null || value === null || coverage === null) return []
  return [{ modelId, value, windows, coverage }]
}

/** Index of the first with `periodStart >= from`: a short window skips most of the longest one. */
function firstBehind(items: readonly { readonly periodStart: Instant }[], from: Instant): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((items[middle] as { readonly periodStart: Instant }).periodStart >= from) high = middle
    else low = middle + 1
  }
  return low
}
