import type { Leaderboard, LeaderboardEntry } from '../../domain/leaderboard.ts'
import type { ReportContract } from '../report-context.ts'
import { numbersOf, windowKey } from './row-fields.ts'

/** The windows and metrics of a model on a board: as columns, as one object, and what it is ranked by. */
export function boardScores(entry: LeaderboardEntry, leaderboard: Leaderboard, contract: ReportContract) {
  const windows = numbersOf([...new Set([...contract.windows, ...Object.keys(entry.windows)])], entry.windows)
  const metrics = numbersOf([...new Set([...contract.metrics, ...Object.keys(entry.metrics)])], entry.metrics)
  const means = Object.fromEntries(Object.entries(windows).map(([name, value]) => [windowKey(name), value]))
  return {
    // Windows come first, and a metric of the same name does not replace one.
    scores: { ...means, ...metrics, ...means },
    ranking: {
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
