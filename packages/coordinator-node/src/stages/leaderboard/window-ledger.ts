import type { Span } from '../../domain/models/standing.ts'
import type { PeriodRounds } from '../../domain/period-rounds.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import type { Instant } from '../../domain/time.ts'
import type { PeriodStore } from '../../ports/store-periods.ts'

/** The closed periods of the longest window, kept in memory so that closing the next one does not read them again. */
export interface WindowLedger {
  /**
   * The closed periods with `asOf - lengthMs <= periodStart` up to `lastPeriodEnd`, with their snapshots. Read from the store
   * when another process has closed a period since.
   */
  before(lastPeriodEnd: Instant | null, asOf: Instant): Promise<Span>
  add(rounds: PeriodRounds, snapshots: readonly Snapshot[]): void
}

/** @param beganAt no window reaches back behind the beginning of its era */
export function createWindowLedger(
  store: Pick<PeriodStore, 'snapshotsBetween' | 'periodsBetween'>,
  lengthMs: number,
  beganAt: Instant,
): WindowLedger {
  let periods: PeriodRounds[] = []
  let snapshots: Snapshot[] = []
  let keptThrough: Instant | null = null

  return {
    async before(lastPeriodEnd, asOf) {
      if (lastPeriodEnd === null) return { periods: [], snapshots: [] }
      const from = Math.max(asOf - lengthMs, beganAt)
      if (keptThrough !== lastPeriodEnd) {
        periods = [...(await store.periodsBetween(from, lastPeriodEnd))]
        snapshots = [...(await store.snapshotsBetween(from, lastPeriodEnd))]
        keptThrough = lastPeriodEnd
      }
      forgetBefore(from, periods)
      forgetBefore(from, snapshots)
      return { periods, snapshots }
    },
    add(rounds, added) {
      periods.push(rounds)
      snapshots.push(...added)
      keptThrough = rounds.periodEnd
    },
  }
}

/** Takes the items from the beginning of a list that started before `from`. */
function forgetBefore(from: Instant, items: { readonly periodStart: Instant }[]): void {
  const firstKept = items.findIndex((item) => item.periodStart >= from)
  if (firstKept !== 0) items.splice(0, firstKept === -1 ? items.length : firstKept)
}
