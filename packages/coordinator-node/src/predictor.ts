import type { ResolvedContract } from './contract/resolved-contract.ts'
import type { FeedRecord, FeedScope } from './domain/feed-record.ts'
import { floorToGrid, type Instant } from './domain/time.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { ModelRunner } from './ports/model-runner.ts'
import type { Store } from './ports/store.ts'
import { loadRecordWindow } from './stages/feed/load-record-window.ts'
import { loadSeriesWatch } from './stages/feed/series-watch.ts'
import { buildInput } from './stages/input/build-input.ts'
import { answerAbandonedRounds } from './stages/prediction/answer-abandoned-rounds.ts'
import { loadModelRegistry } from './stages/prediction/model-registry.ts'
import { createRefusedRounds } from './stages/prediction/refused-rounds.ts'
import { clockLatenessMs } from './stages/prediction/round-lateness.ts'
import { noRounds, runInstant } from './stages/prediction/run-instant.ts'
import type { RanRounds } from './stages/prediction/run-rounds.ts'

/** Opens the rounds of `on: 'clock'` schedules. */
export interface ClockRounds {
  /** Runs the rounds of a grid instant. */
  predictAt(at: Instant): Promise<RanRounds>
  /** The first grid instant after `after` that may still open a round; `null` without such a schedule. */
  nextClockInstant(after: Instant): Instant | null
}

/** Input → prediction: what one process does between an accepted record and the stored answers. */
export interface Predictor extends ClockRounds {
  /**
   * Notes records that arrive together before predictions are made on any of them: a series that must agree with
   * another one is compared with that one's record of the same instant. It has no other effect.
   */
  hear(records: readonly FeedRecord[]): void
  /** Offers a record to every model and runs the rounds that it opens; resolves when their answers are stored. */
  predict(record: FeedRecord): Promise<RanRounds>
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
  const { store, clock, log } = ports
  const registry = await loadModelRegistry(store, resolved.organizer)
  await answerAbandonedRounds(ports, registry)
  await store.putSchedules(resolved.schedules)
  const window = await loadRecordWindow(resolved, ports)
  const watch = await loadSeriesWatch(resolved.feeds, store)
  const state = {
    registry,
    lastRoundTimes: new Map(await store.lastRoundTimes()),
    refused: createRefusedRounds(log),
  }

  async function run(scope: FeedScope, at: Instant, on: 'record' | 'clock'): Promise<RanRounds> {
    const newest = window.newest(scope)
    if (newest === undefined) return noRounds
    return runInstant(resolved, ports, state, {
      ...{ scope, at, on, newestKnownAt: newest.knownAt, isTrusted: watch.gateOf(scope, at) === null },
      buildInput: () => buildInput(resolved, log, scope, window.records(scope, at, resolved.inputWindowMs), at),
    })
  }

  return {
    hear: watch.add,
    predict: async (record) => (window.add(record) === 'new' ? run(record, record.knownAt, 'record') : noRounds),
    predictAt: async (at) => allOf(await Promise.all(resolved.feeds.map((feed) => run(feed.scope, at, 'clock')))),
    nextClockInstant(after) {
      const from = Math.max(after, clock.now() - clockLatenessMs)
      const instants = resolved.schedules
        .filter((schedule) => schedule.on === 'clock')
        .map((schedule) => floorToGrid(from, schedule.everyMs) + schedule.everyMs)
      return instants.length === 0 ? null : Math.min(...instants)
    },
  }
}

/** The combined result of several instants. */
export function allOf(ran: readonly RanRounds[]): RanRounds {
  return {
    rounds: ran.flatMap(({ rounds }) => rounds),
    predictionCount: ran.reduce((sum, { predictionCount }) => sum + predictionCount, 0),
  }
}
