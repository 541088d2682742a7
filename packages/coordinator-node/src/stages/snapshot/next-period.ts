import type { ResolvedContract } from '../../contract/resolved-contract.ts'
import { freshnessMs } from '../../domain/feed-trust.ts'
import { noRoundCanResolveBefore } from '../../domain/period.ts'
import { durationMs, floorToGrid, type Instant } from '../../domain/time.ts'
import type { RoundStore } from '../../ports/store-rounds.ts'

/** A cell of a grid, `[start, end)`. */
export interface Period {
  readonly start: Instant
  readonly end: Instant
}

export type RoundReads = Pick<RoundStore, 'firstResolvableAt' | 'hasUnresolvedRounds' | 'lastRoundTimes'>

/**
 * The next period after `closedThrough` that holds a round, when it can be closed at `now`: all its rounds are terminal, and
 * no schedule can open another in it. Periods without rounds are passed over. The last period of an era that has ended ends
 * with it.
 */
export async function nextClosablePeriod(
  resolved: ResolvedContract,
  reads: RoundReads,
  everyMs: number,
  closedThrough: Instant,
  now: Instant,
): Promise<Period | null> {
  const { endedAt } = resolved.era
  const first = await reads.firstResolvableAt(closedThrough)
  if (first === null || (endedAt !== null && first >= endedAt)) return null
  const cell = floorToGrid(first, everyMs)
  const end = Math.min(cell + everyMs, endedAt ?? Number.POSITIVE_INFINITY)
  // After a change of the grid, a cell may overlap closed periods; the overlap must not be counted twice.
  const start = Math.max(cell, closedThrough)
  // An ended era has no open rounds, and none can be opened.
  if (endedAt !== null) return { start, end }
  if (now < end) return null
  // The times of the last rounds are read first. Then a round that opens in between can only delay the period.
  const lastRoundTimes = await reads.lastRoundTimes()
  const settled = noRoundCanResolveBefore(
    end,
    now,
    resolved.schedules.map((schedule) => ({
      horizonMs: schedule.horizonMs,
      freshnessMs: freshnessMs(durationMs(schedule.scope.granularity)),
      lastRoundAt: lastRoundTimes.get(schedule.key) ?? null,
    })),
  )
  if (!settled || (await reads.hasUnresolvedRounds(end))) return null
  return { start, end }
}
