import type { AnyContract } from './contract/crunch-contract.ts'
import { resolveContract } from './contract/resolved-contract.ts'
import { type EraSpan, onlyEra } from './domain/era.ts'
import { CrunchError } from './domain/errors.ts'
import type { FeedRecord } from './domain/feed-record.ts'
import { formatInstant, type Instant } from './domain/time.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { ModelRunner } from './ports/model-runner.ts'
import type { Store } from './ports/store.ts'
import { allOf, type ClockRounds, openPredictor, type Predictor } from './predictor.ts'
import type { Payees } from './stages/checkpoint/close-checkpoint.ts'
import { closeCheckpoints } from './stages/checkpoint/close-checkpoints.ts'
import { acceptRecords } from './stages/feed/accept-records.ts'
import { createRecordWriter } from './stages/feed/record-writer.ts'
import { storeRecords } from './stages/feed/store-records.ts'
import { createRanking } from './stages/leaderboard/create-ranking.ts'
import { createScoreLedger } from './stages/leaderboard/score-ledger.ts'
import { noRounds } from './stages/prediction/run-instant.ts'
import type { RanRounds } from './stages/prediction/run-rounds.ts'
import { type SettledRounds, settleRounds } from './stages/score/settle-rounds.ts'
import { closePeriods } from './stages/snapshot/close-periods.ts'
import { nextClosablePeriod } from './stages/snapshot/next-period.ts'

export interface PipelinePorts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Called with the new records of each write, before the next one begins. */
  readonly onStored?: (records: readonly FeedRecord[]) => Promise<void>
}

export interface PipelineOptions {
  readonly payees?: Payees
  /** Replaces the contract's time-out for models. */
  readonly timeoutMs?: number
  /** The cruncher whose models are the organizer's. */
  readonly organizerCruncherId?: string
  /** How far ahead of a wall clock a record may be known; with a virtual clock no record can be ahead. */
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
  /**
   * Accepts records that arrive together. Each is parsed once; those that the contract refuses are logged and dropped. The others are
   * passed to the gates of their series, then offered to the models while they are stored. Resolves with the rounds that they
   * opened, once records and answers are stored.
   */
  accept(records: readonly FeedRecord[]): Promise<RanRounds>
  /** As {@link accept}, for records that another process has stored. */
  acceptStored(records: readonly FeedRecord[]): Promise<RanRounds>
  /**
   * Makes this process the one that opens rounds; recovers what an earlier one left open. From now on, accepted records
   * reach the models.
   */
  openPredictor(runner: ModelRunner): Promise<ClockRounds>
  /** Settles due rounds, then closes periods: their snapshots and leaderboard. */
  settle(): Promise<SettledRounds & { readonly closedPeriodCount: number }>
  /** Closes checkpoints whose period is over. Answers how many. */
  checkpoint(): Promise<number>
  /** Closes the rest of an ended era; its last period and checkpoint are short. Returns the number of both. */
  closeEra(): Promise<{ readonly periodCount: number; readonly checkpointCount: number }>
}

const noPayees: Payees = { crunch: null, computeProvider: null, dataProvider: null }

export function createPipeline(contract: AnyContract, ports: PipelinePorts, options: PipelineOptions = {}): Pipeline {
  const { era = onlyEra } = options
  const base = resolveContract(contract, options.organizerCruncherId, era)
  const resolved = { ...base, timeoutMs: options.timeoutMs ?? base.timeoutMs }
  const { store, clock, log } = ports
  const ranking = createRanking(resolved, store)
  let predictor: Predictor | undefined
  const writer = createRecordWriter(async (records) => {
    const added = await storeRecords(ports, records)
    await ports.onStored?.(added)
  })

  async function predictOn(records: readonly FeedRecord[]): Promise<RanRounds> {
    if (predictor === undefined) return noRounds
    const { hear, predict } = predictor
    hear(records)
    if (clock.waits !== true) return allOf(await Promise.all(records.map(predict)))
    const ran: RanRounds[] = []
    for (const record of records) ran.push(await predict(record))
    return allOf(ran)
  }

  const closePeriodsAt = (now: Instant) => closePeriods(resolved, store, ranking, now, clock)
  const closeCheckpointsAt = (now: Instant) =>
    closeCheckpoints(
      resolved,
      {
        ...{ store, log, scoresOf: createScoreLedger(resolved, store).of },
        nextPeriod: (after) => nextClosablePeriod(resolved, store, resolved.checkpointEveryMs, after, now),
      },
      options.payees ?? noPayees,
      now,
    )

  return {
    async accept(records) {
      const accepted = acceptRecords(resolved, log, records)
      const [ran] = await Promise.all([predictOn(accepted), writer.write(accepted)])
      return ran
    },
    acceptStored: async (records) => predictOn(acceptRecords(resolved, log, records)),
    async openPredictor(runner) {
      predictor = await openPredictor(resolved, {
        store,
        clock,
        log,
        runner,
        clockToleranceMs: options.clockToleranceMs,
      })
      return predictor
    },
    async settle() {
      await requireCurrentEra(store, era)
      const now = await clock.refresh()
      const settled = await settleRounds(resolved, { store, log }, now)
      return { ...settled, closedPeriodCount: await closePeriodsAt(now) }
    },
    async checkpoint() {
      await requireCurrentEra(store, era)
      return closeCheckpointsAt(await clock.refresh())
    },
    async closeEra() {
      const now = await clock.refresh()
      return { periodCount: await closePeriodsAt(now), checkpointCount: await closeCheckpointsAt(now) }
    },
  }
}

async function requireCurrentEra(store: Store, { number }: EraSpan): Promise<void> {
  const current = (await store.eras()).at(-1)
  if (current === undefined || current.number === number) return
  throw new CrunchError(
    'ERA_ENDED',
    `era ${current.number} began at ${formatInstant(current.beganAt)}; this process uses the contract of era ${number}: stop it`,
  )
}
