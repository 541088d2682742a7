import type { Leaderboard } from '../../../../domain/leaderboard.ts'
import type { Instant } from '../../../../domain/time.ts'
import type { BoardRanking, PeriodSpan } from '../../../../ports/reads/page-reads.ts'
import type { PeriodTable } from '../period-table.ts'

/** The reads of `RankingReads`. */
export function createRankings(periods: PeriodTable) {
  const boards = () => periods.rows().leaderboards
  return {
    periodEnds({ from, to, limit }: PeriodSpan): readonly Instant[] {
      const ends = boards().map(({ asOf }) => asOf)
      return ends.filter((end) => from <= end && end <= to).slice(-limit)
    },
    rankingsAt: (ends: readonly Instant[]): readonly BoardRanking[] =>
      boards()
        .filter(({ asOf }) => ends.includes(asOf))
        .map(rankingOf),
  }
}

function rankingOf({ asOf, era, rankBy, entries }: Leaderboard): BoardRanking {
  const places = entries.map(({ modelId, rank, windows }) => ({ modelId, rank, value: windows[rankBy] ?? null }))
  return { asOf, era, rankBy, places }
}
