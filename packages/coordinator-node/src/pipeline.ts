import type { AnyContract } from './contract/crunch-contract.ts'
import { resolveContract } from './contract/resolved-contract.ts'
import type { FeedRecord } from './domain/feed-record.ts'
import type { Instant } from './domain/time.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { ModelRunner } from './ports/model-runner.ts'
import type { Store } from './ports/store.ts'
import { openPredictor, type Predictor } from './predictor.ts'
import { closeCheckpoint, type Payees } from './stages/checkpoint/close-checkpoint.ts'
import { type IngestedRecords, ingestRecords } from './stages/feed/ingest-records.ts'
import { rankModels } from './stages/leaderboard/rank-models.ts'
import { createWindowLedger } from './stages/leaderboard/window-ledger.ts'
import { type SettledRounds, settleRounds } from './stages/score/settle-rounds.ts'
import { nextClosablePeriod } from './stages/snapshot/next-period.ts'
import { periodSnapshots } from './stages/snapshot/period-snapshots.ts'

export interface PipelinePorts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

export interface PipelineOptions {
  readonly payees?: Payees
  /** Replaces the contract's time-out for models. */
  readonly timeoutMs?: number
}

/**
 * Feed → input → prediction → score → snapshot → leaderboard → checkpoint.
 * Owns no timer, socket or wall clock: live workers and the simulation only drive it. Every step may run at any time,
 * twice, or after a crash, and gives the same rows.
 */
export interface Pipeline {
  /** Stores records. They reach models through {@link Predictor.predict}. */
  ingest(records: readonly FeedRecord[]): Promise<IngestedRecords>
  /** Makes this process the one that opens rounds; recovers what an earlier one left open. */
  openPredictor(runner: ModelRunner): Promise<Predictor>
  /** Settles due rounds, then closes periods: their snapshots and leaderboard. */
  settle(): Promise<SettledRounds & { readonly closedPeriodCount: number }>
  /** Closes checkpoints whose period is over. Answers how many. */
  checkpoint(): Promise<number>
}

export function createPipeline(contract: AnyContract, ports: PipelinePorts, options: PipelineOptions = {}): Pipeline {
  const base = resolveContract(contract)
  const resolved = { ...base, timeoutMs: options.timeoutMs ?? base.timeoutMs }
  const { store, clock, log } = ports
  const ledger = createWindowLedger(store, Math.max(...resolved.windows.map((window) => window.lengthMs)))

  async function closePeriods(now: Instant): Promise<number> {
    let closedThrough = await store.lastPeriodEnd()
    for (let count = 0; ; count += 1) {
      const period = await nextClosablePeriod(resolved, store, resolved.snapshotEveryMs, closedThrough, now)
      if (period === null) return count
      const results = await store.periodResults(period.start, period.end)
      const snapshots = periodSnapshots(resolved, period.start, period.end, results)
      const earlier = await ledger.before(closedThrough, period.end)
      const leaderboard = rankModels(resolved, await store.models(), [...earlier, ...snapshots], period.end)
      if (await store.closePeriod({ snapshots, leaderboard })) ledger.add(period.end, snapshots)
      closedThrough = period.end
    }
  }

  async function closeCheckpoints(now: Instant): Promise<number> {
    let closedThrough = await store.lastCheckpointEnd()
    for (let count = 0; ; count += 1) {
      const period = await nextClosablePeriod(resolved, store, resolved.checkpointEveryMs, closedThrough, now)
      if (period === null) return count
      const unclosed = await store.firstResolvableAt((await store.lastPeriodEnd()) ?? 0)
      if (unclosed !== null && unclosed < period.end) return count
      const snapshots = await store.snapshotsBetween(period.start, period.end)
      const payees = options.payees ?? { crunch: null, computeProvider: null, dataProvider: null }
      await store.addCheckpoint(closeCheckpoint(resolved, payees, period.start, period.end, snapshots, now))
      closedThrough = period.end
    }
  }

  return {
    ingest: (records) => ingestRecords(resolved, ports, records),
    openPredictor: (runner) => openPredictor(resolved, { store, clock, log, runner }),
    async settle() {
      const now = await clock.refresh()
      const settled = await settleRounds(resolved, { store, log }, now)
      return { ...settled, closedPeriodCount: await closePeriods(now) }
    },
    async checkpoint() {
      return closeCheckpoints(await clock.refresh())
    },
  }
}
