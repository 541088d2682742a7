import type { Leaderboard, LeaderboardEntry } from '../../domain/leaderboard.ts'
import type { ReportContract } from '../report-context.ts'
import { allNames, numberOf, numbersOf, windowKey, withNumbers } from './row-fields.ts'

/** The windows and metrics of a model on a board: as columns, as one object, and what it is ranked by. */
export function boardScores(entry: LeaderboardEntry, leaderboard: Leaderboard, contract: ReportContract) {
  const scores: Record<string, number | null> = {}
  for (const name of allNames(contract.windows, entry.windows)) scores[windowKey(name)] = numberOf(entry.windows, name)
  // Windows come first, and a metric of the same name does not replace one.
  withNumbers(scores, numbersOf(allNames(contract.metrics, entry.metrics), entry.metrics))
  return {
    scores,
    ranking: {
      key: windowKey(leaderboard.rankBy),
      value: numberOf(entry.windows, leaderboard.rankBy),
      direction: leaderboard.direction,
      newcomers: contract.newcomers,
      min_coverage: contract.minRankCoverage,
      /** The contract orders the models (`leaderboard.rank`), so the order can differ from that of `value`. */
      own_order: contract.hasOwnOrder,
    },
  }
}
