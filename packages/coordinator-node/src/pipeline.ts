import type { AnyContract } from './contract/crunch-contract.ts'
import { resolveContract } from './contract/resolved-contract.ts'
import type { Checkpoint } from './domain/checkpoint.ts'
import { type EraSpan, onlyEra } from './domain/era.ts'
import { CrunchError } from './domain/errors.ts'
import type { FeedRecord } from './domain/feed-record.ts'
import { formatInstant, type Instant } from './domain/time.ts'
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
import { periodRounds } from './stages/snapshot/period-rounds.ts'
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
  /** The cruncher whose models are the organizer's. */
  readonly organizerCruncherId?: string
  /** How far ahead of a wall clock a record may be known. Of a virtual one, none can be. */
  readonly clockToleranceMs?: number
  /** The era that the store was entered with; absent where there is only one. */
  readonly era?: EraSpan
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
  /** Closes what is left of an era that has ended, its last period and checkpoint short. Answers how many of both. */
  closeEra(): Promise<{ readonly periodCount: number; readonly checkpointCount: number }>
}

export function createPipeline(contract: AnyContract, ports: PipelinePorts, options: PipelineOptions = {}): Pipeline {
  const { era = onlyEra } = options
  const base = resolveContract(contract, options.organizerCruncherId, era)
  const resolved = { ...base, timeoutMs: options.timeoutMs ?? base.timeoutMs }
  const { store, clock, log } = ports
  const ledger = createWindowLedger(store, Math.max(...resolved.windows.map((window) => window.lengthMs)), era.beganAt)

  async function closePeriods(now: Instant): Promise<number> {
    let closedThrough = Math.max(era.beganAt, (await store.lastPeriodEnd()) ?? 0)
    for (let count = 0; ; count += 1) {
      const period = await nextClosablePeriod(resolved, store, resolved.snapshotEveryMs, closedThrough, now)
      if (period === null) return count
      const results = await store.periodResults(period.start, period.end)
      const models = await store.models()
      const snapshots = periodSnapshots(resolved, models, period.start, period.end, results)
      const earlier = await ledger.before(closedThrough, period.end)
      const rounds = periodRounds(resolved, period, results)
      const span = { periods: [...earlier.periods, rounds], snapshots: [...earlier.snapshots, ...snapshots] }
      const leaderboard = rankModels(resolved, models, span, period.end)
      if (await store.closePeriod({ rounds, snapshots, leaderboard })) ledger.add(rounds, snapshots)
      closedThrough = period.end
    }
  }

  async function closeCheckpoints(now: Instant): Promise<number> {
    let closedThrough = Math.max(era.beganAt, (await store.lastCheckpointEnd()) ?? 0)
    for (let count = 0; ; count += 1) {
      const period = await nextClosablePeriod(resolved, store, resolved.checkpointEveryMs, closedThrough, now)
      if (period === null) return count
      const unclosed = await store.firstResolvableAt(Math.max(era.beganAt, (await store.lastPeriodEnd()) ?? 0))
      if (unclosed !== null && unclosed < period.end) return count
      const { start, end } = period
      const periods = await store.periodsBetween(start, end)
      const snapshots = await store.snapshotsBetween(start, end)
      const payees = options.payees ?? { crunch: null, computeProvider: null, dataProvider: null }
      const models = await store.models()
      const closed = closeCheckpoint(resolved, payees, models, { start, end, periods, snapshots }, now)
      const isFirst = await store.addCheckpoint(closed)
      if (isFirst && closed.emissionReason !== null) warnOfEmptyEmission(log, closed)
      closedThrough = period.end
    }
  }

  return {
    ingest: (records) => ingestRecords(resolved, ports, records),
    openPredictor: (runner) =>
      openPredictor(resolved, { store, clock, log, runner, clockToleranceMs: options.clockToleranceMs }),
    async settle() {
      await requireCurrentEra(store, era)
      const now = await clock.refresh()
      const settled = await settleRounds(resolved, { store, log }, now)
      return { ...settled, closedPeriodCount: await closePeriods(now) }
    },
    async checkpoint() {
      await requireCurrentEra(store, era)
      return closeCheckpoints(await clock.refresh())
    },
    async closeEra() {
      const now = await clock.refresh()
      return { periodCount: await closePeriods(now), checkpointCount: await closeCheckpoints(now) }
    },
  }
}

/** A payout that pays no model must not surprise the operator, who can repair a baseline without a value. */
function warnOfEmptyEmission(log: Log, { id, emissionReason }: Checkpoint): void {
  const say = emissionReason === 'floor_unknown' ? log.error : log.warn
  say('a checkpoint pays no model', { stage: 'checkpoint', checkpointId: id, reason: emissionReason })
}

async function requireCurrentEra(store: Store, { number }: EraSpan): Promise<void> {
  const current = (await store.eras()).at(-1)
  if (current === undefined || current.number === number) return
  throw new CrunchError(
    'ERA_ENDED',
    `era ${current.number} began at ${formatInstant(current.beganAt)}; this process uses the contract of era ${number}: stop it`,
  )
}
