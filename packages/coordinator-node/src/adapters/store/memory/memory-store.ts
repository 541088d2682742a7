import type { Checkpoint } from '../../../domain/checkpoint.ts'
import { eraBeganReason } from '../../../domain/era.ts'
import { CrunchError } from '../../../domain/errors.ts'
import type { FeedRecord, FeedState } from '../../../domain/feed-record.ts'
import type { Leaderboard } from '../../../domain/leaderboard.ts'
import type { Model } from '../../../domain/models/model.ts'
import type { PeriodRounds } from '../../../domain/period-rounds.ts'
import type { Prediction } from '../../../domain/prediction.ts'
import type { Round, Schedule } from '../../../domain/round.ts'
import type { Score } from '../../../domain/score.ts'
import type { Snapshot } from '../../../domain/snapshot.ts'
import type { Instant } from '../../../domain/time.ts'
import type { FailureFilter } from '../../../ports/reads/report-reads.ts'
import type { Store } from '../../../ports/store.ts'
import type { NextEra } from '../../../ports/store-eras.ts'
import type { PruneRequest } from '../../../ports/store-feed.ts'
import type { ClosedPeriod } from '../../../ports/store-periods.ts'
import type { PruneResults } from '../../../ports/store-retention.ts'
import type { Change, ChangeListener } from '../../../ports/store-workers.ts'
import { announceChanges } from '../announce-changes.ts'
import { periodClosed } from '../period-closed.ts'
import { createRecordListeners, type RecordListeners } from '../record-listeners.ts'
import { uniqueSchedules } from '../unique-schedules.ts'
import { type BackfillTable, createBackfillTable } from './backfill-table.ts'
import { createEraTable, type EraTable } from './era-table.ts'
import { createFeedTable, type FeedTable } from './feed-table.ts'
import { createKeyTable, type KeyTable } from './key-table.ts'
import { createLeaseTable } from './lease-table.ts'
import { modelActivity, modelFailures } from './model-activity.ts'
import { createModelTable, type ModelTable } from './model-table.ts'
import { pageVerbs } from './page/page-verbs.ts'
import { createPeriodTable, type PeriodTable } from './period-table.ts'
import { createHeartbeatTable, type ProgressTables, pipelineProgress } from './progress.ts'
import { type RefusedInputs, refusalsOf } from './refusals.ts'
import { createRoundTable, type RoundTable } from './round-table.ts'
import { runFacts } from './run-facts.ts'
import { createSeries } from './series.ts'

/** Every row in an order that depends only on content, for digests. Of feed records only the count. */
export interface StoreDump {
  readonly feedRecordCount: number
  readonly feedStates: readonly FeedState[]
  readonly schedules: readonly Schedule[]
  readonly models: readonly Model[]
  /** Ordered by (resolvableAt, id). */
  readonly rounds: readonly Round[]
  /** Ordered by (resolvableAt, round id, model id), like the scores. */
  readonly predictions: readonly Prediction[]
  readonly scores: readonly Score[]
  /** Oldest first. */
  readonly periods: readonly PeriodRounds[]
  /** Ordered by (periodEnd, model id). */
  readonly snapshots: readonly Snapshot[]
  readonly leaderboards: readonly Leaderboard[]
  readonly checkpoints: readonly Checkpoint[]
}

/** A store in the memory of the process, for simulations and tests. Rows are stored by reference, never copied. */
export interface MemoryStore extends Store {
  dump(): StoreDump
  /** Another store on the same rows, as another worker would open it, with its own leases. */
  reopen(): MemoryStore
}

export function createMemoryStore(): MemoryStore {
  return openTables(createTables())
}

function createTables() {
  const feeds = createFeedTable()
  return {
    feeds,
    rounds: createRoundTable(feeds),
    periods: createPeriodTable(),
    schedules: createScheduleTable(),
    models: createModelTable(),
    eras: createEraTable(),
    allListeners: new Set<RecordListeners>(),
    changeListeners: new Set<ChangeListener>(),
    heartbeats: createHeartbeatTable(),
    jobs: createBackfillTable(),
    keys: createKeyTable(),
    leases: createLeaseTable(),
  }
}

function openTables(tables: ReturnType<typeof createTables>): MemoryStore {
  const { feeds, rounds, periods, schedules, models, eras, allListeners, heartbeats } = tables
  const listeners = createRecordListeners()
  allListeners.add(listeners)
  const leases = tables.leases.open()
  const gate = createGate(leases.requireHolder)
  const { verb, fenced } = gate

  const changes = openChanges(tables.changeListeners)
  const rows: Omit<MemoryStore, 'subscribeChanges'> = {
    ...feedVerbs(feeds, rounds, allListeners, verb),
    ...backfillVerbs(tables.jobs, verb),
    ...keyVerbs(tables.keys, verb),
    ...modelVerbs(models, gate),
    beat: fenced(heartbeats.beat),
    pipelineProgress: verb((at: Instant) => pipelineProgress(progressTables(tables), at)),
    storeTime: verb((): Instant | null => null),
    ...eraVerbs(eras, rounds, periods, verb),
    ...retentionVerbs(rounds, periods, verb),
    putSchedules: fenced(schedules.put),
    openRound: fenced((round) => {
      eras.requireCurrent(round.era)
      schedules.requireFor(round)
      if (!rounds.has(round.id) && round.resolvableAt < (periods.lastEndOf(round.era) ?? -Infinity)) {
        throw periodClosed(round)
      }
      return rounds.open(round)
    }),
    lastRoundTimes: verb(rounds.lastTimes),
    recordAnswers: fenced((roundId, answeredAt, predictions) => {
      for (const { modelId } of predictions) models.require(modelId)
      return rounds.recordAnswers(roundId, answeredAt, predictions)
    }),
    noteRefusedInput: fenced((keys: readonly string[], at: Instant, reason: string) =>
      schedules.noteRefused(keys, rounds.lastTimes(), at, reason),
    ),
    unansweredRounds: verb(rounds.unanswered),
    settleRounds: verb(rounds.settle),
    firstResolvableAt: verb(rounds.firstResolvableAt),
    hasUnresolvedRounds: verb(rounds.hasUnresolved),
    periodResults: verb(rounds.periodResults),
    refusalsBetween: verb((from: Instant, to: Instant) => refusalsOf(rounds.rowsBetween(from, to))),
    ...periodVerbs(periods, eras, models, verb),
    subscribeRecords: verb(listeners.add),
    takeLease: verb(leases.take),
    leaseState: verb(leases.state),
    schedules: verb(schedules.active),
    ...reportVerbs(rounds, models, verb),
    ...seriesVerbs(createSeries(rounds, periods), verb),
    ...pageVerbs(feeds, rounds, periods, verb),
    async probe(_limitMs, read) {
      gate.requireOpen()
      return read(rows)
    },
    async close() {
      gate.close()
      leases.end()
      listeners.clear()
      changes.close()
      allListeners.delete(listeners)
    },
    reopen: () => openTables(tables),
    dump: () => dumpTables(tables),
  }
  return { ...rows, ...announceChanges(rows, changes.announce), subscribeChanges: verb(changes.subscribe) }
}

function dumpTables({ feeds, schedules, models, rounds, periods }: ReturnType<typeof createTables>): StoreDump {
  return {
    feedRecordCount: feeds.recordCount(),
    feedStates: feeds.states(),
    schedules: schedules.active(),
    models: models.all(),
    ...dumpRounds(rounds),
    ...periods.rows(),
  }
}

/** The listeners of one store among those of all stores on the same rows. */
function openChanges(all: Set<ChangeListener>) {
  const own = new Set<ChangeListener>()
  function end(listener: ChangeListener): void {
    own.delete(listener)
    all.delete(listener)
  }
  return {
    announce(change: Change): void {
      for (const listener of all) listener.changed(change)
    },
    subscribe(listener: ChangeListener) {
      own.add(listener)
      all.add(listener)
      return async () => end(listener)
    },
    close: () => own.forEach(end),
  }
}

function progressTables({ schedules, models, periods, ...rest }: ReturnType<typeof createTables>): ProgressTables {
  const { active, refusedInputs } = schedules
  return {
    ...rest,
    scheduleKeys: active().map(({ key }) => key),
    refusedInputs,
    models: models.all(),
    ...periods.rows(),
  }
}

/** The verbs of the feed stage. */
function feedVerbs(feeds: FeedTable, rounds: RoundTable, allListeners: ReadonlySet<RecordListeners>, verb: Verb) {
  return {
    appendRecords: verb((records: readonly FeedRecord[]) => {
      const appended = feeds.append(records)
      for (const listeners of allListeners) listeners.hand(appended.inserted)
      return appended
    }),
    appendPast: verb((records: readonly FeedRecord[]) => feeds.append(records).inserted.length),
    latestRecords: verb(feeds.latest),
    newestRecords: verb(feeds.newest),
    recordsBehind: verb(feeds.behind),
    ensureFeeds: verb(feeds.ensure),
    putFeedStatus: verb(feeds.putStatus),
    newestWatermark: verb(feeds.newestWatermark),
    pruneRecords: verb((request: PruneRequest) => feeds.prune(request, rounds.firstUnresolvedPerformedAt)),
    feedStates: verb(feeds.states),
  }
}

function modelVerbs(models: ModelTable, { verb, fenced }: Gate) {
  return {
    registerModels: fenced(models.register),
    beginRetirements: fenced(models.beginRetirements),
    endRetirements: fenced(models.endRetirements),
    reassignModel: verb(models.reassign),
    reassignments: verb(models.reassignments),
    models: verb(models.all),
  }
}

function periodVerbs(periods: PeriodTable, eras: EraTable, models: ModelTable, verb: Verb) {
  return {
    closePeriod: verb((period: ClosedPeriod) => {
      eras.requireWithin(period.leaderboard.era, period.leaderboard.asOf)
      for (const { modelId } of period.snapshots) models.require(modelId)
      return periods.close(period)
    }),
    snapshotsBetween: verb(periods.between),
    snapshotTotals: verb(periods.between),
    latestMetrics: verb(periods.latestMetrics),
    versionCounts: verb(periods.versionCounts),
    periodsBetween: verb(periods.periodsBetween),
    lastPeriodEnd: verb(periods.lastEnd),
    addCheckpoint: verb((checkpoint: Checkpoint) => {
      eras.requireWithin(checkpoint.era, checkpoint.periodEnd)
      return periods.addCheckpoint(checkpoint)
    }),
    lastCheckpointEnd: verb(periods.lastCheckpointEnd),
    acknowledgeCheckpoint: verb(periods.acknowledge),
    moveCheckpoint: verb(periods.moveCheckpoint),
    latestLeaderboard: verb(periods.latestLeaderboard),
    leaderboardVersion: verb((until?: Instant) => JSON.stringify([periods.latestLeaderboard(until), models.all()])),
    snapshotReports: verb(periods.snapshotReports),
    checkpoints: verb(periods.checkpoints),
  }
}

function reportVerbs(rounds: RoundTable, models: ModelTable, verb: Verb) {
  return {
    predictionReports: verb(rounds.reports),
    predictionExports: verb(rounds.exports),
    modelActivity: verb((since: Instant) => modelActivity(rounds.predictionsSince(since))),
    modelFailures: verb((filter: FailureFilter) => modelFailures(rounds.predictionsSince(filter.since), filter)),
    roundCounts: verb(rounds.counts),
    runFacts: verb(() => runFacts(rounds, models.all().length)),
  }
}

function seriesVerbs(series: ReturnType<typeof createSeries>, verb: Verb) {
  return {
    leaderboardsAt: verb(series.leaderboardsAt),
    snapshotsAt: verb(series.snapshotsAt),
    newestSnapshots: verb(series.newestSnapshots),
    scoreSums: verb(series.scoreSums),
    roundReport: verb(series.roundReport),
    snapshot: verb(series.snapshot),
    checkpoint: verb(series.checkpoint),
  }
}

function eraVerbs(eras: EraTable, rounds: RoundTable, periods: PeriodTable, verb: Verb) {
  return {
    enterEra: verb(eras.enter),
    beginEra: verb((next: NextEra) => {
      const closedThrough = Math.max(periods.lastEnd() ?? 0, periods.lastCheckpointEnd() ?? 0)
      const era = eras.begin(next, Math.max(rounds.endOfResults(), closedThrough))
      if (era === null) return null
      return { era, voidRoundCount: rounds.giveUp(era.beganAt, eraBeganReason(era)) }
    }),
    competition: verb(eras.competition),
    eras: verb(eras.eras),
    contractVersions: verb(eras.versions),
  }
}

function retentionVerbs(rounds: RoundTable, periods: PeriodTable, verb: Verb) {
  const unneeded = ({ before, windowMs }: PruneResults) =>
    Math.min(
      before,
      (periods.lastEnd() ?? Number.NEGATIVE_INFINITY) - Math.max(1, windowMs),
      periods.lastCheckpointEnd() ?? Number.NEGATIVE_INFINITY,
      periods.firstUnacknowledged(),
    )
  return {
    pruneRounds: verb((request: PruneResults) => rounds.forget(unneeded(request), request.limit)),
    prunePeriods: verb((request: PruneResults) => periods.forget(unneeded(request), request.limit)),
  }
}

function backfillVerbs(jobs: BackfillTable, verb: Verb) {
  return {
    addBackfillJob: verb(jobs.add),
    moveBackfillJob: verb(jobs.move),
    advanceBackfillJob: verb(jobs.advance),
    backfillJobs: verb(jobs.jobs),
  }
}

function keyVerbs(keys: KeyTable, verb: Verb) {
  return {
    addApiKey: verb(keys.add),
    rotateApiKey: verb(keys.rotate),
    revokeApiKeys: verb(keys.revoke),
    apiKeys: verb(keys.keys),
  }
}

/**
 * Turns synchronous transitions into asynchronous verbs, which reject where a transition throws, and once the gate is
 * closed. Fenced verbs also reject once another store has taken over the lease on predicting.
 */
function createGate(requireHolder: () => void) {
  let isClosed = false
  function requireOpen(): void {
    if (isClosed) throw new CrunchError('STORE_UNAVAILABLE', 'the store is closed: open a new one')
  }
  function behind(check: () => void) {
    return <Args extends readonly unknown[], Result>(
      run: (...args: Args) => Result,
    ): ((...args: Args) => Promise<Result>) => {
      return async (...args) => {
        check()
        return run(...args)
      }
    }
  }
  return {
    requireOpen,
    verb: behind(requireOpen),
    fenced: behind(() => {
      requireOpen()
      requireHolder()
    }),
    close(): void {
      isClosed = true
    },
  }
}

type Gate = ReturnType<typeof createGate>
type Verb = Gate['verb']

function createScheduleTable() {
  const schedules = new Map<string, Schedule>()
  const refused = new Map<string, RefusedInputs>()
  let active: readonly Schedule[] = []
  return {
    noteRefused(keys: readonly string[], lastRoundTimes: ReadonlyMap<string, Instant>, at: Instant, reason: string) {
      for (const key of keys) {
        const before = refused.get(key)
        if (before !== undefined && before.newestAt >= at) continue
        const goesOn = before !== undefined && before.newestAt > (lastRoundTimes.get(key) ?? Number.NEGATIVE_INFINITY)
        const first = goesOn ? before : { count: 0, since: at, reason }
        refused.set(key, { ...first, count: first.count + 1, newestAt: at })
      }
    },
    refusedInputs: (key: string): RefusedInputs | undefined => refused.get(key),
    put(wanted: readonly Schedule[]): void {
      active = uniqueSchedules(wanted)
      for (const schedule of wanted) schedules.set(schedule.key, schedule)
    },
    requireFor({ id, scheduleKey }: Round): void {
      if (schedules.has(scheduleKey)) return
      throw new CrunchError('NOT_FOUND', `round "${id}" needs schedule "${scheduleKey}": call putSchedules first`)
    },
    active: (): readonly Schedule[] => active,
  }
}

function dumpRounds(table: RoundTable): Pick<StoreDump, 'rounds' | 'predictions' | 'scores'> {
  const rounds: Round[] = []
  const predictions: Prediction[] = []
  const scores: Score[] = []
  for (const row of table.rows()) {
    rounds.push(row.round)
    for (const prediction of row.predictions) predictions.push(prediction)
    for (const score of row.scores) if (score !== null) scores.push(score)
  }
  return { rounds, predictions, scores }
}
