import { type PeriodScores, periodScores } from '../../contract/ranking/period-scores.ts'
import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { PeriodRounds } from '../../domain/period-rounds.ts'
import type { Instant } from '../../domain/time.ts'
import type { PeriodStore } from '../../ports/store-periods.ts'

/** The scores of closed periods, one by one, for a contract that defines `leaderboard.aggregate`. */
export interface ScoreLedger {
  /** The scores of the given periods, by `periodEnd`; `null` when the contract needs only sums. */
  of(periods: readonly PeriodRounds[]): Promise<ReadonlyMap<Instant, PeriodScores> | null>
}

/** The periods of the last call stay in memory: the rounds of a period never change once it can be closed. */
export function createScoreLedger(
  { contract }: ResolvedContract,
  store: Pick<PeriodStore, 'periodResults'>,
): ScoreLedger {
  const { leaderboard } = contract
  let kept: ReadonlyMap<Instant, PeriodScores> = new Map()
  return {
    async of(periods) {
      if (leaderboard.aggregate === undefined) return null
      const scores = new Map<Instant, PeriodScores>()
      for (const { periodStart, periodEnd } of periods) {
        const known = kept.get(periodEnd)
        scores.set(periodEnd, known ?? periodScores(leaderboard, await store.periodResults(periodStart, periodEnd)))
      }
      kept = scores
      return scores
    },
  }
}
