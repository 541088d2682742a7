import { createVirtualClock, type VirtualClock } from '../src/adapters/clock/clocks.ts'
import { createInProcessRunner } from '../src/adapters/model-runner/in-process/in-process-runner.ts'
import { createMemoryStore, type MemoryStore } from '../src/adapters/store/memory/memory-store.ts'
import type { FeedRecord, FeedScope } from '../src/domain/feed-record.ts'
import type { ModelIdentity } from '../src/domain/models/model.ts'
import { createPipeline, type Pipeline, type PipelineOptions } from '../src/pipeline.ts'
import type { Judgement, ModelRunner } from '../src/ports/model-runner.ts'
import type { Store } from '../src/ports/store.ts'
import { btc, candle, model } from '../src/ports/store-samples.ts'
import type { ClockRounds } from '../src/predictor.ts'
import { driveBatch } from '../src/recording/drive-recording.ts'
import { type ContractChanges, changedContract } from './sample-contract.ts'
import { createTestLog, type LogLine } from './test-log.ts'

/** A participant's object. */
export interface TestModel {
  tick?(input: { subject: string; closes: number[] }): void
  predict?(subject: string, horizonSeconds: number, stepSeconds: number): unknown
}

/** Always gives the same answer. */
export const steady = (value: unknown): TestModel => ({ predict: () => ({ value }) })

/** Predicts the direction of the last move. */
export function createTrend(strength: number): TestModel {
  let closes: number[] = []
  return {
    tick(input) {
      if (input.subject === 'BTCUSDT') closes = input.closes
    },
    predict: () => ({ value: strength * Math.sign((closes.at(-1) ?? 0) - (closes.at(-2) ?? 0)) }),
  }
}

/** The close price of the candle of a minute. */
export const closeAt = (count: number) => candles(count, count)[0]?.values.close as number

/** Knows the future price; with a negative `strength` it is always wrong. Joins at the record of minute `from`. */
export function createOracle(strength: number, from = 0): TestModel {
  let count = from - 1
  return {
    tick() {
      count += 1
    },
    predict: () => ({ value: strength * Math.sign(closeAt(count + 5) - closeAt(count)) }),
  }
}

/** A runner whose models come and go. */
export interface TestRunner extends ModelRunner {
  connect(models: Readonly<Record<string, TestModel>>, identities?: Identities): void
  /** Retirement reasons of models that are not connected, by id. */
  setRetirements(reasons: Readonly<Record<string, string>>): void
  setReachable(reachable: boolean): void
  /** Ids of models whose absence is due to a restart. */
  setRestarting(ids: readonly string[]): void
  /** The judgements of answers that it received. */
  readonly judgements: readonly Judgement[]
  /** The time limit of each dispatch. */
  readonly timeouts: readonly number[]
  /** The ids of the models in each dispatch. */
  readonly called: readonly string[]
}

/** Changes to the sample identity, by id. */
type Identities = Readonly<Record<string, Partial<ModelIdentity>>>

export function createTestRunner(
  models: Readonly<Record<string, TestModel>>,
  identityOf: (id: string) => ModelIdentity = model,
): TestRunner {
  const start = (own: Readonly<Record<string, TestModel>>, identities: Identities = {}) =>
    createInProcessRunner(
      Object.entries(own).map(([id, object]) => ({
        identity: { ...identityOf(id), ...identities[id] },
        model: object,
      })),
    )
  let inner = start(models)
  let isReachable = true
  let restarting: readonly string[] = []
  let retirements: Readonly<Record<string, string>> = {}
  const judgements: Judgement[] = []
  const timeouts: number[] = []
  const called: string[] = []
  return {
    models: () => inner.models(),
    reachable: () => isReachable,
    excuseOf(modelId) {
      if (!isReachable) return { reason: 'orchestrator_unreachable', detail: 'the test has cut it off' }
      return restarting.includes(modelId) ? { reason: 'orchestrator_restarted', detail: 'the test says so' } : null
    },
    setRestarting(ids) {
      restarting = ids
    },
    async dispatch(calls, timeoutMs, except) {
      timeouts.push(timeoutMs)
      const answers = await inner.dispatch(calls, timeoutMs, except)
      called.push(...answers.map(({ modelId }) => modelId))
      return answers
    },
    retirementOf: (modelId) => retirements[modelId] ?? null,
    onModel: (listener) => inner.onModel(listener),
    judge: (changes) => judgements.push(...changes),
    judgements,
    called,
    timeouts,
    close: () => inner.close(),
    connect(own, identities) {
      inner = start(own, identities)
    },
    setRetirements(reasons) {
      retirements = reasons
    },
    setReachable(reachable) {
      isReachable = reachable
    },
  }
}

/** A pipeline on a store (default: memory) with a virtual clock, driven by the test. */
export interface Competition<Rows extends Store = MemoryStore> {
  readonly store: Rows
  readonly clock: VirtualClock
  readonly lines: readonly LogLine[]
  readonly pipeline: Pipeline
  readonly runner: TestRunner
  readonly clockRounds: ClockRounds
  /** Lets the pipeline accept candles, each at the instant at which it is known. */
  drive(...records: readonly FeedRecord[]): Promise<void>
  /** Simulates a new process on the same store: state in memory is lost. */
  restart(models?: Readonly<Record<string, TestModel>>): Promise<Competition<Rows>>
}

export interface CompetitionOptions<Rows extends Store = MemoryStore> extends PipelineOptions {
  readonly changes?: ContractChanges
  readonly models?: Readonly<Record<string, TestModel>>
  /** The identities of the models, by id. */
  readonly identityOf?: (id: string) => ModelIdentity
  readonly store?: Rows
  readonly clock?: VirtualClock
}

export async function openCompetition<Rows extends Store = MemoryStore>(
  options: CompetitionOptions<Rows> = {},
): Promise<Competition<Rows>> {
  const { changes = {}, models = { a: steady(0.5), b: steady(-0.5) } } = options
  const { store = createMemoryStore() as Store as Rows, clock = createVirtualClock() } = options
  const log = createTestLog()
  const pipeline = createPipeline(changedContract(changes), { store, clock, log }, options)
  const runner = createTestRunner(models, options.identityOf)
  const clockRounds = await pipeline.openPredictor(runner)
  return {
    ...{ store, clock, lines: log.lines, pipeline, runner, clockRounds },
    async drive(...records) {
      for (const record of records) await driveBatch(pipeline, clockRounds, clock, [record])
    },
    restart: (own = models) => openCompetition({ ...options, models: own, store, clock }),
  }
}

/** The candles that open at minutes `from` to `to` inclusive, with an oscillating price. */
export function candles(from: number, to: number, scope: FeedScope = btc): FeedRecord[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const count = from + index
    return candle(count, { close: 100 + 5 * Math.sin(count / 3) + Math.sin(count * count) }, scope)
  })
}
