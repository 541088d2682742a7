import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Leaderboard } from '../../domain/leaderboard.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Instant } from '../../domain/time.ts'
import type { ClosedPeriod, PeriodStore } from '../../ports/store-periods.ts'
import { rankModels } from './rank-models.ts'
import { createWindowLedger } from './window-ledger.ts'

/** Ranks the models whenever a period closes. The closed periods of the longest window stay in memory. */
export function createRanking(
  resolved: ResolvedContract,
  store: Pick<PeriodStore, 'snapshotsBetween' | 'periodsBetween'>,
) {
  const longestMs = Math.max(...resolved.windows.map((window) => window.lengthMs))
  const ledger = createWindowLedger(store, longestMs, resolved.era.beganAt)
  return {
    async rank(
      models: readonly Model[],
      closedThrough: Instant,
      { rounds, snapshots }: Omit<ClosedPeriod, 'leaderboard'>,
    ): Promise<Leaderboard> {
      const asOf = rounds.periodEnd
      const earlier = await ledger.before(closedThrough, asOf)
      const span = { periods: [...earlier.periods, rounds], snapshots: [...earlier.snapshots, ...snapshots] }
      return rankModels(resolved, models, span, asOf)
    },
    closed({ rounds, snapshots }: Omit<ClosedPeriod, 'leaderboard'>): void {
      ledger.add(rounds, snapshots)
    },
  }
}
