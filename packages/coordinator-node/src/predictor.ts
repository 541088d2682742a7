import type { ResolvedContract } from './contract/resolved-contract.ts'
import { type FeedRecord, type FeedScope, feedScopeKey } from './domain/feed-record.ts'
import { isSilent } from './domain/feed-trust.ts'
import type { JsonObject } from './domain/json/json.ts'
import { durationMs, floorToGrid, type Instant } from './domain/time.ts'
import type { Clock } from './ports/clock.ts'
import { type Log, silentLog } from './ports/log.ts'
import type { ModelRunner } from './ports/model-runner.ts'
import type { Store } from './ports/store.ts'
import { acceptRecords } from './stages/feed/ingest-records.ts'
import { createRecordWindow, type RecordWindow } from './stages/feed/record-window.ts'
import { loadSeriesWatch, type SeriesWatch } from './stages/feed/series-watch.ts'
import { buildInput } from './stages/input/build-input.ts'
import { dueSchedules } from './stages/prediction/due-schedules.ts'
import { loadModelRegistry, type ModelRegistry } from './stages/prediction/model-registry.ts'
import { createRefusedRounds, type RefusedRounds } from './stages/prediction/refused-rounds.ts'
import { roundLateness } from './stages/prediction/round-lateness.ts'
import { type RanRounds, restartedPredictions, runRounds } from './stages/prediction/run-rounds.ts'

/** Input → prediction: what one process does between a record and the stored answers. */
export interface Predictor {
  /**
   * Notes records that arrive together before predictions are made on any of them: a series that must agree with
   * another one is compared with that one's record of the same instant. It has no other effect.
   */
  hear(records: readonly FeedRecord[]): void
  /** Offers a record to every model and runs the rounds that it opens; resolves when their answers are stored. */
  predict(record: FeedRecord): Promise<RanRounds>
  /** Runs the rounds of `on: 'clock'` schedules at a grid instant. */
  predictAt(at: Instant): Promise<RanRounds>
  /** The first grid instant of an `on: 'clock'` schedule after `after`; `null` without such a schedule. */
  nextClockInstant(after: Instant): Instant | null
}

export interface PredictorPorts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly runner: ModelRunner
  /** How far ahead of the clock a record may be known; no limit by default. */
  readonly clockToleranceMs?: number | undefined
}

/** Takes over the opening of rounds: recovers what a crash left open, and loads recent records into memory. */
export async function openPredictor(resolved: ResolvedContract, ports: PredictorPorts): Promise<Predictor> {
  const { store } = ports
  const registry = await loadModelRegistry(store, resolved.organizer)
  await answerAbandonedRounds(ports, registry)
  await store.putSchedules(resolved.schedules)
  const state: PredictorState = {
    registry,
    window: await loadWindow(resolved, ports),
    watch: await loadSeriesWatch(resolved.feeds, store),
    lastRoundTimes: new Map(await store.lastRoundTimes()),
    refused: createRefusedRounds(ports.log),
  }
  const compares = resolved.feeds.some(({ gate }) => gate !== null && gate.agree !== null)
  return {
    hear(records) {
      // Whatever is refused is logged when it is ingested.
      if (compares) state.watch.add(acceptRecords(resolved, silentLog, records))
    },
    async predict(record) {
      const [accepted] = acceptRecords(resolved, ports.log, [record])
      if (accepted !== undefined) state.watch.add([accepted])
      if (accepted === undefined || state.window.add(accepted) !== 'new') return nothingRan
      return runInstant(resolved, ports, state, accepted, accepted.knownAt, 'record')
    },
    async predictAt(at) {
      const ran = await Promise.all(
        resolved.feeds.map((feed) => runInstant(resolved, ports, state, feed.scope, at, 'clock')),
      )
      return {
        rounds: ran.flatMap((entry) => entry.rounds),
        predictionCount: ran.reduce((sum, entry) => sum + entry.predictionCount, 0),
      }
    },
    nextClockInstant(after) {
      const instants = resolved.schedules
        .filter((schedule) => schedule.on === 'clock')
        .map((schedule) => floorToGrid(after, schedule.everyMs) + schedule.everyMs)
      return instants.length === 0 ? null : Math.min(...instants)
    },
  }
}

interface PredictorState {
  readonly registry: ModelRegistry
  readonly window: RecordWindow
  readonly watch: SeriesWatch
  readonly lastRoundTimes: Map<string, Instant>
  readonly refused: RefusedRounds
}

const nothingRan: RanRounds = { rounds: [], predictionCount: 0 }

/**
 * Sends the models the new records of one series, and runs its due rounds. Does nothing for a feed that is not fresh. A
 * feed that is fresh but not trusted is sent, but opens no rounds: its cells of the grid count as missed by the node.
 */
async function runInstant(
  resolved: ResolvedContract,
  ports: PredictorPorts,
  state: PredictorState,
  scope: FeedScope,
  at: Instant,
  on: 'record' | 'clock',
): Promise<RanRounds> {
  const newest = state.window.newest(scope)
  if (newest === undefined) return nothingRan
  const now = ports.clock.now()
  if (isSilent(newest.knownAt, durationMs(scope.granularity), now)) return nothingRan
  // The clock went back behind what is known: a round of "now" would ask for what the records already show.
  if (newest.knownAt - now > (ports.clockToleranceMs ?? Number.POSITIVE_INFINITY)) return nothingRan
  const key = feedScopeKey(scope)
  const own = resolved.schedules.filter((schedule) => schedule.on === on && feedScopeKey(schedule.scope) === key)
  const times = new Map<string, number>()
  for (const schedule of own) {
    const lateness = roundLateness(schedule, resolved.timeoutMs, at, now)
    if (lateness.kind === 'opens') times.set(schedule.key, lateness.timeoutMs)
  }
  const open = own.filter((schedule) => times.has(schedule.key))
  const isTrusted = state.watch.gateOf(scope, at) === null
  const mayOpen = isTrusted && at >= resolved.era.beganAt
  const due = mayOpen ? dueSchedules(open, state.lastRoundTimes, at) : []
  if (on === 'clock' && due.length === 0) return nothingRan
  const input = tryBuildInput(resolved, ports.log, scope, state.window, at)
  if (input === null) return nothingRan
  const dueNow = due.map((entry) => ({
    ...entry,
    missedBefore: entry.missedBefore + state.refused.untold(entry.schedule.key),
  }))
  const { add: onRefused } = state.refused
  const onOpen = (scheduleKey: string) => {
    state.lastRoundTimes.set(scheduleKey, at)
    state.refused.opens(scheduleKey)
  }
  // Rounds of one instant share a dispatch, so the shortest of their time limits applies.
  const timeoutMs = Math.min(resolved.timeoutMs, ...due.map(({ schedule }) => times.get(schedule.key) as number))
  return runRounds(resolved, ports, state.registry, {
    ...{ at, input, due: dueNow, timeoutMs, isNews: on === 'record' },
    ...{ onOpen, onRefused },
  })
}

/** `null`, logged, when the contract cannot build the input: then no round opens, and it counts as missed. */
function tryBuildInput(
  resolved: ResolvedContract,
  log: Log,
  scope: FeedScope,
  window: RecordWindow,
  at: Instant,
): JsonObject | null {
  try {
    return buildInput(resolved, scope.subject, window.records(scope, at, resolved.inputWindowMs), at)
  } catch (error) {
    log.error('the contract could not build an input; no round opens', {
      stage: 'input',
      scope: feedScopeKey(scope),
      reason: error instanceof Error ? error.message : String(error),
    })
    return null
  }
}

/** Rounds that a crash left without answers: every answer is absent, and that is our fault. */
export async function answerAbandonedRounds(
  ports: Pick<PredictorPorts, 'store' | 'clock' | 'log'>,
  registry: Pick<ModelRegistry, 'models'>,
): Promise<void> {
  for (const round of await ports.store.unansweredRounds()) {
    await ports.store.recordAnswers(round.id, ports.clock.now(), restartedPredictions(round, registry))
    ports.log.warn('a restart left a round without answers', { stage: 'prediction', roundId: round.id })
  }
}

async function loadWindow(resolved: ResolvedContract, { store, log }: PredictorPorts): Promise<RecordWindow> {
  const window = createRecordWindow(resolved.inputWindowMs)
  for (const feed of resolved.feeds) {
    const records = await recentRecords(store, feed.scope, resolved.inputWindowMs)
    for (const record of acceptRecords(resolved, log, records)) window.add(record)
  }
  return window
}

/** The newest records of a series that reach back over a window, however many there are. */
async function recentRecords(store: Store, scope: FeedScope, windowMs: number): Promise<readonly FeedRecord[]> {
  for (let limit = 512; ; limit *= 2) {
    const records = await store.latestRecords(scope, limit, Number.MAX_SAFE_INTEGER)
    const [oldest] = records
    const newest = records.at(-1)
    if (oldest === undefined || newest === undefined || records.length < limit) return records
    if (oldest.knownAt <= newest.knownAt - windowMs) return records
  }
}
