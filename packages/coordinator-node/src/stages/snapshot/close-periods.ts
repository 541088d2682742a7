import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import type { Leaderboard } from '../../domain/leaderboard.ts'
import type { Model } from '../../domain/models/model.ts'
import { runInTurns } from '../../domain/statistics/sliced-work.ts'
import type { Instant } from '../../domain/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ModelReads } from '../../ports/store-models.ts'
import type { ClosedPeriod, PeriodStore } from '../../ports/store-periods.ts'
import { nextClosablePeriod, type RoundReads } from './next-period.ts'
import { periodRounds } from './period-rounds.ts'
import { periodSnapshots } from './period-snapshots.ts'

/** A period that is being closed, before its leaderboard is computed. */
export type ClosingPeriod = Omit<ClosedPeriod, 'leaderboard'>

/** The leaderboard stage, called by this one: a leaderboard is written in the transition that closes its period. */
export interface Ranking {
  /** The leaderboard at the end of a period whose predecessors end at `closedThrough`. */
  rank(models: readonly Model[], closedThrough: Instant, closing: ClosingPeriod): Promise<Leaderboard>
  /** Called when the period was closed by this process. */
  closed(closing: ClosingPeriod): void
}

/**
 * Closes the periods that can be closed at `now`, oldest first, with their snapshots and leaderboards. Answers how many.
 * Other work gets its turn meanwhile: a large period takes longer than a call to a model.
 */
export async function closePeriods(
  resolved: ResolvedContract,
  store: PeriodStore & RoundReads & Pick<ModelReads, 'models'>,
  ranking: Ranking,
  now: Instant,
  clock: Pick<Clock, 'turn'>,
): Promise<number> {
  let closedThrough = Math.max(resolved.era.beganAt, (await store.lastPeriodEnd()) ?? 0)
  for (let count = 0; ; count += 1) {
    const period = await nextClosablePeriod(resolved, store, resolved.snapshotEveryMs, closedThrough, now)
    if (period === null) return count
    const results = await store.periodResults(period.start, period.end)
    const models = await store.models()
    const closing = {
      rounds: periodRounds(resolved, period, results),
      snapshots: await runInTurns(periodSnapshots(resolved, models, period.start, period.end, results), clock.turn),
    }
    await clock.turn()
    const leaderboard = await ranking.rank(models, closedThrough, closing)
    await clock.turn()
    if (await store.closePeriod({ ...closing, leaderboard })) ranking.closed(closing)
    closedThrough = period.end
  }
}
