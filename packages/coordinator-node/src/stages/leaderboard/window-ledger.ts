import type { Snapshot } from '../../domain/snapshot.ts'
import type { Instant } from '../../domain/time.ts'
import type { Store } from '../../ports/store.ts'

/** The snapshots of the longest window, kept in memory so that closing a period does not read them again. */
export interface WindowLedger {
  /**
   * The closed snapshots with `asOf - lengthMs <= periodStart` up to `lastPeriodEnd`, oldest first. Read from the store when
   * another process has closed a period since.
   */
  before(lastPeriodEnd: Instant | null, asOf: Instant): Promise<readonly Snapshot[]>
  add(periodEnd: Instant, snapshots: readonly Snapshot[]): void
}

export function createWindowLedger(store: Pick<Store, 'snapshotsBetween'>, lengthMs: number): WindowLedger {
  let kept: Snapshot[] = []
  let keptThrough: Instant | null = null

  return {
    async before(lastPeriodEnd, asOf) {
      if (lastPeriodEnd === null) return []
      if (keptThrough !== lastPeriodEnd) {
        kept = [...(await store.snapshotsBetween(asOf - lengthMs, lastPeriodEnd))]
        keptThrough = lastPeriodEnd
      }
      const from = asOf - lengthMs
      const firstKept = kept.findIndex((snapshot) => snapshot.periodStart >= from)
      if (firstKept !== 0) kept.splice(0, firstKept === -1 ? kept.length : firstKept)
      return kept
    },
    add(periodEnd, snapshots) {
      kept.push(...snapshots)
      keptThrough = periodEnd
    },
  }
}
