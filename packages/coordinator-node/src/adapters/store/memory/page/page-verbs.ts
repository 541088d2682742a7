import type { RoundFilter } from '../../../../ports/page-reads.ts'
import type { PeriodTable } from '../period-table.ts'
import type { RoundTable } from '../round-table.ts'
import { createRankings } from './rankings.ts'
import { roundSummaries } from './round-list.ts'

type Verb = <Args extends readonly unknown[], Result>(
  run: (...args: Args) => Result,
) => (...args: Args) => Promise<Result>

/** The reads of `PageReads`. */
export function pageVerbs(rounds: RoundTable, periods: PeriodTable, verb: Verb) {
  const rankings = createRankings(periods)
  return {
    periodEnds: verb(rankings.periodEnds),
    rankingsAt: verb(rankings.rankingsAt),
    roundSummaries: verb((filter: RoundFilter) => roundSummaries(rounds, filter)),
  }
}
