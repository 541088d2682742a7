import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Leaderboard } from '../../domain/leaderboard.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Instant } from '../../domain/time.ts'
import { rankModels } from './rank-models.ts'
import { type ClosingPeriod, createWindowLedger, type LedgerReads } from './window-ledger.ts'

/** Ranks the models whenever a period closes. The closed periods of the longest window stay in memory. */
export function createRanking(resolved: ResolvedContract, store: LedgerReads) {
  const ledger = createWindowLedger(store, {
    lengthMs: Math.max(...resolved.windows.map((window) => window.lengthMs)),
    beganAt: resolved.era.beganAt,
    field: resolved.contract.leaderboard.value,
  })
  return {
    async rank(models: readonly Model[], closedThrough: Instant, closing: ClosingPeriod): Promise<Leaderboard> {
      const { span, latestMetrics } = await ledger.with(closing, closedThrough)
      return rankModels(resolved, models, span, latestMetrics, closing.rounds.periodEnd)
    },
    closed: ledger.closed,
  }
}
