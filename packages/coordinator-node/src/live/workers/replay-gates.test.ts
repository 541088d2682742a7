import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { candles } from '../../../test/competition.ts'
import { createMigratedDatabase } from '../../../test/migrated-database.ts'
import { changedContract, market } from '../../../test/sample-contract.ts'
import { createReplayClock } from '../../adapters/clock/clocks.ts'
import { openScene, stateOf } from '../../adapters/model-runner/grpc/testing/scene.ts'
import { openPostgresStore } from '../../adapters/store/postgres/postgres-store.ts'
import type { AnyContract } from '../../contract/crunch-contract.ts'
import { placesBy } from '../../contract/ranking/places-by.ts'
import type { AggregateContext, RankContext } from '../../contract/ranking/ranking-options.ts'
import { onlyEra } from '../../domain/era.ts'
import type { FeedRecord } from '../../domain/feed-record.ts'
import { formatInstant } from '../../domain/time.ts'
import { type Log, silentLog } from '../../ports/log.ts'
import type { Store } from '../../ports/store.ts'
import { btc, candle, eth, minute, model } from '../../ports/store-samples.ts'
import { contractRecording } from '../../recording/contract-recording.ts'
import { reportUnderTest } from '../../report/report-app.testkit.ts'
import { simulate } from '../../simulation/simulate.ts'
import { readSettings } from '../settings.ts'
import { runReplayWorker } from './replay-worker.ts'
import { runCheckpointWorker, runScoreWorker } from './settle-workers.ts'
import type { WorkerContext } from './worker-context.ts'

// One subject freezes and another one stops, while time continues with the rest.
const isFrozen = (count: number) => count >= 30 && count < 50
const isStopped = (count: number) => count >= 60 && count < 80
const lastCount = 139
const recording = [
  ...candles(0, lastCount).map((own, count) => (isFrozen(count) ? candle(count, { close: 100 }) : own)),
  ...candles(0, lastCount, eth).filter((_, count) => !isStopped(count)),
]

const contract: AnyContract = changedContract({
  feed: { ...market, gate: { frozenAfter: 5 } },
  prediction: {
    // A busy machine must not make an answer late: a simulation has none.
    timeout: '1m',
    schedule: [
      { subject: 'BTCUSDT', every: '1m', horizon: '5m' },
      { subject: 'ETHUSDT', every: '1m', horizon: '5m' },
      { key: 'by-clock', subject: 'ETHUSDT', every: '1m', horizon: '5m', on: 'clock' },
    ],
  },
  truth: { expire: '30m' },
  // Custom functions of the contract, whose results must be the same with every driver.
  leaderboard: {
    aggregate: ({ scores, end }: AggregateContext) =>
      scores.reduce((sum, { value, resolvableAt }) => sum + value / (1 + end - resolvableAt), 0) / scores.length,
    rank: ({ models }: RankContext) => placesBy(models, (left, right) => left.value - right.value),
  },
})

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function writeRecording(records: readonly FeedRecord[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crunch-gates-'))
  endings.push(() => rm(folder, { recursive: true }))
  const path = join(folder, 'prices.csv')
  const sorted = [...records].sort((left, right) => left.eventAt - right.eventAt)
  const rows = sorted.map(({ eventAt, subject, values }) => `${eventAt},${subject},${values.close}`)
  await writeFile(path, `ts_ms,subject,close\n${rows.join('\n')}\n`)
  return path
}

/** The feed statuses of a replay at each change, as an operator reads them at that moment. */
interface StatusChange {
  readonly minute: number
  readonly subject: string
  readonly status: string
  readonly health: unknown
  readonly feed: unknown
}

async function replay(path: string): Promise<{ readonly store: Store; readonly changes: readonly StatusChange[] }> {
  const database = await createMigratedDatabase()
  endings.push(() => database.drop())
  const scene = await openScene()
  endings.push(() => scene.close())
  const server = await scene.serve({ tick: () => null, predict: () => ({ value: 0.5 }) })
  const other = await scene.serve({ tick: () => null, predict: () => ({ value: -0.25 }) })
  scene.orchestrator.list([stateOf('a', server.port), stateOf('b', other.port)])
  const stored = await openPostgresStore({ url: database.url })
  endings.push(() => stored.close())
  const clock = createReplayClock(() => stored.newestWatermark())
  const report = reportUnderTest({ reads: stored, clock })
  const changes: StatusChange[] = []
  const store: Store = {
    ...stored,
    // The replay continues once the status is written.
    async putFeedStatus(scope, status, reason, at) {
      await stored.putFeedStatus(scope, status, reason, at)
      const [health, feeds] = [await report.get('/healthz'), await report.get('/reports/feeds')]
      const feed = feeds.body.find(({ subject }) => subject === scope.subject)
      changes.push({ minute: (at - minute(0)) / 60_000, subject: scope.subject, status, health: health.body, feed })
    },
  }
  const ending = new AbortController()
  let hasEnded = () => {}
  const ended = new Promise<void>((resolve) => {
    hasEnded = resolve
  })
  const log: Log = { ...silentLog, info: (_, fields) => fields?.event === 'replay-ended' && hasEnded() }
  const context: WorkerContext = {
    ...{
      contract,
      store,
      clock,
      log,
      sources: new Map(),
      signal: ending.signal,
      era: onlyEra,
      ready: () => {},
      contractFolder: '.',
    },
    settings: readSettings({
      CRUNCH_ID: 'next-move',
      FEED_REPLAY_FILES: path,
      MODEL_RUNNER_NODE_HOST: '127.0.0.1',
      MODEL_RUNNER_NODE_PORT: `${scene.orchestrator.port}`,
    }),
  }
  await clock.refresh()
  const running = [runReplayWorker(context), runScoreWorker(context), runCheckpointWorker(context)]
  // Also after a failure, before what they use is closed.
  endings.push(() => {
    ending.abort()
    return Promise.allSettled(running)
  })
  await Promise.race([ended, ...running])
  const isSettled = async () =>
    !(await store.hasUnresolvedRounds(minute(lastCount - 30))) && ((await store.lastCheckpointEnd()) ?? 0) >= minute(90)
  await expect.poll(isSettled, { timeout: 60_000 }).toBe(true)
  ending.abort()
  await Promise.all(running)
  return { store, changes }
}

const opened = (rows: readonly Row[], key: string) => rows.filter(([own]) => own === key).map(([, at]) => at)

/** Schedule, minute, status, reason, and score of an answer. */
type Row = readonly [string, number, string, string | null, unknown]

/** Rounds old enough to be settled regardless of when settling ran. */
const isOld = (at: number) => at < lastCount - 40

async function storedRows(store: Store): Promise<Row[]> {
  const filter = { modelIds: ['a'], from: 0, to: Number.MAX_SAFE_INTEGER, limit: 10_000 }
  return (await store.predictionReports(filter))
    .map(({ prediction, scheduleKey, score }): Row => {
      const at = (prediction.performedAt - minute(0)) / 60_000
      return [scheduleKey, at, prediction.status, prediction.detail, score?.value ?? null]
    })
    .filter(([, at]) => isOld(at))
}

function simulateModels(path: string) {
  const models = Object.entries({ a: 0.5, b: -0.25 }).map(([id, value]) => ({
    identity: model(id),
    model: { tick() {}, predict: () => ({ value }) },
  }))
  return simulate({ contract, source: contractRecording(contract, [path]), models })
}

function simulatedRows({ rows }: Awaited<ReturnType<typeof simulateModels>>): Row[] {
  const rounds = new Map(rows.rounds.map((round) => [round.id, round]))
  const scores = new Map(rows.scores.map((score) => [score.predictionId, score.value]))
  return rows.predictions
    .filter(({ modelId }) => modelId === 'a')
    .map(({ id, roundId, performedAt, status, detail }): Row => {
      const at = (performedAt - minute(0)) / 60_000
      return [rounds.get(roundId)?.scheduleKey ?? '', at, status, detail, scores.get(id) ?? null]
    })
    .filter(([, at]) => isOld(at))
}

const byText = (left: Row, right: Row) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe('a replay in which one series freezes and another one stops', () => {
  test('opens and scores no round on them, reports them, and continues when they return', async () => {
    const path = await writeRecording(recording)
    const { store, changes } = await replay(path)

    const holder = expect.stringContaining(`process ${process.pid}`)
    const lease = expect.objectContaining({ holder, silent_ms: expect.any(Number) })
    const ok = {
      status: 'ok',
      version: '1.2.3',
      reasons: [],
      standing_still: [],
      notes: [],
      predict_lease: lease,
    }
    const degraded = (subject: string, status: string, at: number, reason: string) => ({
      ...ok,
      status: 'degraded',
      reasons: [`feed binance:${subject}:candle:1m is ${status} since ${formatInstant(minute(at))}: ${reason}`],
    })
    const frozen = 'the last 5 records have the same values, at least since 2026-03-01T10:30:00.000Z'
    const silent = 'no new record for 120 s'
    const reported = changes.slice(2).filter(({ status }) => status !== 'down')
    expect(reported.map(({ minute, subject, status, health }) => [minute, subject, status, health])).toEqual([
      [35, 'BTCUSDT', 'frozen', degraded('BTCUSDT', 'frozen', 35, frozen)],
      [51, 'BTCUSDT', 'up', ok],
      // Two granularities after the last record, which became known at minute 60.
      [62, 'ETHUSDT', 'stale', degraded('ETHUSDT', 'stale', 62, silent)],
      [81, 'ETHUSDT', 'up', ok],
    ])
    expect(reported[2]?.feed).toMatchObject({
      ...{
        subject: eth.subject,
        status: 'stale',
        status_reason: silent,
        status_since: '2026-03-01T11:02:00.000Z',
      },
      watermark_ts: '2026-03-01T11:00:00.000Z',
    })

    const rows = await storedRows(store)
    expect(opened(rows, 'BTCUSDT-5m')).toEqual([...range(1, 34), ...range(51, lastCount - 41)])
    expect(opened(rows, 'ETHUSDT-5m')).toEqual([...range(1, 60), ...range(81, lastCount - 41)])
    // A clock round may open on a fresh record.
    expect(opened(rows, 'by-clock')).toEqual([...range(1, 61), ...range(81, lastCount - 41)])
    expect(await store.roundCounts()).toMatchObject({ missedCount: 16 + 20 + 19 })

    const failed = rows.filter(([, , status]) => status !== 'SCORED')
    // By the default of truth.maxStaleness, an exit price may be one minute old.
    expect(opened(failed, 'BTCUSDT-5m')).toEqual(range(30, 34))
    expect(opened(failed, 'ETHUSDT-5m')).toEqual(range(57, 60))
    expect(opened(failed, 'by-clock')).toEqual(range(57, 61))
    for (const [key, , status, why, score] of failed) {
      expect([status, score]).toEqual(['FAILED', null])
      expect(why).toMatch(key.startsWith(btc.subject) ? /not trusted at the horizon .*: the last 5 records/ : /ms old/)
    }
    // Rounds, reasons and scores are independent of the driver.
    const simulated = await simulateModels(path)
    expect(simulatedRows(simulated).sort(byText)).toEqual(rows.sort(byText))
    // Boards and payouts are too, even with custom functions of the contract.
    const board = simulated.rows.leaderboards.find(({ asOf }) => asOf === minute(90))
    expect(board?.entries.map(({ modelId, rank }) => [modelId, rank])).toEqual(
      expect.arrayContaining([
        ['a', expect.any(Number)],
        ['b', expect.any(Number)],
      ]),
    )
    expect(await store.latestLeaderboard(minute(90))).toEqual(board)
    const payouts = (await store.checkpoints({ limit: 9 })).filter(({ periodEnd }) => periodEnd <= minute(90))
    expect(payouts).toHaveLength(3)
    const expected = simulated.checkpoints.filter(({ periodEnd }) => periodEnd <= minute(90))
    expect(payouts.map(({ createdAt, ...rest }) => rest)).toEqual(
      expected.map(({ createdAt, ...rest }) => rest).reverse(),
    )
  })
})
