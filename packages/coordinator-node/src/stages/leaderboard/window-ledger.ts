import { addTotals, forgetBefore, type GrowingSpan, readSpan, type Span } from '../../domain/models/span.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import type { Instant } from '../../domain/time.ts'
import type { ClosedPeriod, PeriodStore } from '../../ports/store-periods.ts'
import type { LatestMetrics } from './rank-models.ts'

/** A closing period with its rounds and snapshots. */
export type ClosingPeriod = Omit<ClosedPeriod, 'leaderboard'>

/** The closed periods of the longest window, kept in memory so that closing the next one does not read them again. */
export interface WindowLedger {
  /**
   * The window that ends with this period: all periods from `periodEnd - lengthMs` on. Earlier periods are read from the store at the
   * first call, and again if the period of the previous call was not {@link closed} by this process.
   * @param closedThrough end of the period before
   */
  with(closing: ClosingPeriod, closedThrough: Instant): Promise<Window>
  /** Call when this process has closed the period, so that the window keeps it. */
  closed(closing: ClosingPeriod): void
}

export interface Window {
  readonly span: Span
  readonly latestMetrics: LatestMetrics
}

interface KeptWindow extends Window {
  readonly span: GrowingSpan
  readonly latestMetrics: Map<string, Snapshot['metrics']>
}

export type LedgerReads = Pick<PeriodStore, 'snapshotTotals' | 'latestMetrics' | 'periodsBetween'>

export interface LedgerOptions {
  readonly lengthMs: number
  /** Start of the era; no window begins before it. */
  readonly beganAt: Instant
  /** The score field by which models are ranked. */
  readonly field: string
}

export function createWindowLedger(store: LedgerReads, { lengthMs, beganAt, field }: LedgerOptions): WindowLedger {
  let kept: KeptWindow | null = null
  let keptThrough: Instant | null = null

  async function read(from: Instant, to: Instant): Promise<KeptWindow> {
    const span = await readSpan(store, from, to, field)
    return { span, latestMetrics: new Map(await store.latestMetrics(from, to)) }
  }

  return {
    async with({ rounds, snapshots }, closedThrough) {
      const from = Math.max(rounds.periodEnd - lengthMs, beganAt)
      const window = kept !== null && keptThrough === closedThrough ? kept : await read(from, closedThrough)
      // Until the period is closed, the window contains data that the store does not.
      keptThrough = null
      kept = window
      const { span, latestMetrics } = window
      forgetBefore(span, from)
      span.periods.push(rounds)
      addTotals(span, snapshots, field)
      for (const { modelId, metrics } of snapshots) latestMetrics.set(modelId, metrics)
      for (const modelId of latestMetrics.keys()) if (!span.totals.has(modelId)) latestMetrics.delete(modelId)
      return window
    },
    closed({ rounds }) {
      keptThrough = rounds.periodEnd
    },
  }
}
