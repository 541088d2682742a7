import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Leaderboard } from '../../domain/leaderboard.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Instant } from '../../domain/time.ts'
import type { PeriodStore } from '../../ports/store-periods.ts'
import { rankModels } from './rank-models.ts'
import { createScoreLedger } from './score-ledger.ts'
import { type ClosingPeriod, createWindowLedger, type LedgerReads } from './window-ledger.ts'

/** Ranks the models whenever a period closes. The closed periods of the longest window stay in memory. */
export function createRanking(resolved: ResolvedContract, store: LedgerReads & Pick<PeriodStore, 'periodResults'>) {
  const ledger = createWindowLedger(store, {
    lengthMs: Math.max(...resolved.windows.map((window) => window.lengthMs)),
    beganAt: resolved.era.beganAt,
    field: resolved.contract.leaderboard.value,
  })
  const scores = createScoreLedger(resolved, store)
  return {
    async rank(models: readonly Model[], closedThrough: Instant, closing: ClosingPeriod): Promise<Leaderboard> {
      const { span, latestMetrics } = await ledger.with(closing, closedThrough)
      const own = await scores.of(span.periods)
      return rankModels(resolved, models, span, latestMetrics, closing.rounds.periodEnd, own)
    },
    closed: ledger.closed,
  }
}
