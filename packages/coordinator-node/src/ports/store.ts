import type { ReportReads } from './reads/report-reads.ts'
import type { BackfillStore } from './store-backfill.ts'
import type { EraStore } from './store-eras.ts'
import type { FeedStore } from './store-feed.ts'
import type { KeyStore } from './store-keys.ts'
import type { ModelStore } from './store-models.ts'
import type { CheckpointStore, PeriodStore } from './store-periods.ts'
import type { RetentionStore } from './store-retention.ts'
import type { RoundStore, ScheduleStore } from './store-rounds.ts'
import type { SettlementStore } from './store-settlement.ts'
import type { WorkerStore } from './store-workers.ts'

/**
 * The node's memory. Every verb is one atomic transition or one consistent read; what it promises holds for every adapter
 * and is checked by `store.testsuite.ts`. A store that cannot be reached rejects with `STORE_UNAVAILABLE`.
 */
export interface Store
  extends FeedStore,
    BackfillStore,
    ScheduleStore,
    RoundStore,
    SettlementStore,
    PeriodStore,
    CheckpointStore,
    ModelStore,
    EraStore,
    RetentionStore,
    WorkerStore,
    KeyStore,
    ReportReads {
  /**
   * Reads in parallel to all other calls, never queued behind them: rejects with `STORE_UNAVAILABLE` and a reason once
   * `limitMs` have passed, in any state of the database. Nothing continues after that.
   */
  probe<Result>(limitMs: number, read: (reads: ReportReads) => Promise<Result>): Promise<Result>

  /** Ends connections. Later calls reject. */
  close(): Promise<void>
}
