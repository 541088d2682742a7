import { expect, it } from 'vitest'
import { CrunchError } from '../../domain/errors.ts'
import {
  answeredRound,
  btc,
  candle,
  checkpoint,
  minute,
  prediction,
  prepare,
  round,
} from '../../ports/store-samples.ts'
import type { Viewer } from '../access/viewer.ts'
import { type ReportUnderTest, reportUnderTest } from '../report-app.testkit.ts'
import type { ReportContext } from '../report-context.ts'
import { createReader, serveOperations } from './operations.ts'
import type { OperationsBody } from './operations-schema.ts'

const admin: Viewer = { role: 'admin', by: 'key' }
const ask = async (under: ReportUnderTest, viewer: Viewer = { role: 'read' }) =>
  (await under.as(viewer, serveOperations, {})) as OperationsBody
const stage = ({ stages }: OperationsBody, name: string) => stages.find((one) => one.stage === name)

async function running(overrides: Parameters<typeof reportUnderTest>[0] = {}): Promise<ReportUnderTest> {
  const under = reportUnderTest(overrides)
  const { store } = under
  await store.appendRecords([candle(0), candle(58)])
  await store.putFeedStatus(btc, 'up', null, minute(59))
  await prepare(store)
  return under
}

it('shows for each stage its newest result, lag, throughput, queue, latency and failures', async () => {
  const under = await running()
  const { store } = under
  await answeredRound(store, round(10), ['a'])
  const asked = round(20)
  await store.openRound(asked)
  const late = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', detail: 'secret words' } as const
  await store.recordAnswers(asked.id, minute(20) + 90, [prediction(asked, 'a'), prediction(asked, 'b', late)])
  await store.openRound(round(57))
  await store.addCheckpoint(checkpoint(40))
  const body = await ask(under)
  expect(stage(body, 'feed')).toMatchObject({
    last_at: new Date(minute(59)).toISOString(),
    lag_ms: 60_000,
    per_hour: 2,
  })
  expect(stage(body, 'input')).toMatchObject({ last_at: new Date(minute(57)).toISOString(), per_hour: 3 })
  expect(stage(body, 'prediction')).toMatchObject({
    ...{ last_at: new Date(minute(20) + 90).toISOString(), lag_ms: 3 * 60_000, per_hour: 2, queue: 1 },
    latency_ms: { p50: expect.any(Number), p99: expect.any(Number) },
    failures: { timeout: 1 },
  })
  expect(stage(body, 'score')).toMatchObject({ last_at: null, queue: expect.any(Number), failures: {} })
  expect(stage(body, 'checkpoint')).toMatchObject({ queue: 1, per_hour: 1 })
  expect(body.stages.map((one) => one.stage)).toEqual([
    ...['feed', 'input', 'prediction', 'score', 'snapshot', 'leaderboard', 'checkpoint'],
  ])
  expect(JSON.stringify(body)).not.toContain('secret words')
})

it('counts what waits, also before the first period, and only payouts that can be confirmed; a late worker is silent', async () => {
  const { store } = await running()
  await answeredRound(store, round(10), ['a'])
  await store.addCheckpoint(checkpoint(40))
  const empty = checkpoint(50)
  const entries = empty.entries.map((entry) => ({ ...entry, rewardFrac64: 0 }))
  await store.addCheckpoint({ ...empty, entries, emissionReason: 'no_payable_model' })
  await store.beat({ worker: 'predict', nextWithinMs: 600_000, hasWorked: true, problem: null })
  await store.beat({ worker: 'score', nextWithinMs: -1_000, hasWorked: true, problem: null })
  const body = await ask(reportUnderTest({ reads: store }))
  expect(stage(body, 'snapshot')).toMatchObject({ last_at: null, lag_ms: expect.any(Number) })
  expect(stage(body, 'snapshot')?.lag_ms).toBeGreaterThan(0)
  expect(stage(body, 'checkpoint')).toMatchObject({ queue: 1, per_hour: 2 })
  expect(body.workers.map(({ worker, is_silent }) => [worker, is_silent])).toEqual([
    ['predict', false],
    ['score', true],
  ])
})

it('says what is degraded, since when and what to do; causes within the organizer’s services only to admins', async () => {
  const alarm = { stage: 'score', what: '3 rounds wait', since: minute(50), heldUpBy: 'silence', fix: 'restart' }
  const problem = { reason: 'the registry cannot be read', detail: '/secret/path: gone', since: minute(30) }
  const under = await running({ progress: () => ({ alarms: [alarm], notes: [] }) })
  await under.store.putFeedStatus(btc, 'down', 'refused', minute(59))
  await under.store.beat({ worker: 'score', nextWithinMs: 1, hasWorked: true, problem: 'secret.ts:3 x is undefined' })
  await under.store.addCheckpoint(checkpoint(40))
  const payouts = { registryProblem: () => problem } as never
  const report = reportUnderTest({ reads: under.store, progress: () => ({ alarms: [alarm], notes: [] }), payouts })
  const shown = await ask(report)
  expect(shown.status).toBe('degraded')
  expect(shown.problems.map(({ stage: at, what }) => [at, what])).toEqual([
    ['feed', 'feed binance:BTCUSDT:candle:1m is down since 2026-03-01T10:59:00.000Z: refused'],
    ['score', '3 rounds wait'],
    ['score', 'the newest pass of the score worker failed'],
    ['checkpoint', 'the registry cannot be read'],
  ])
  expect(shown.problems[1]).toMatchObject({
    since: new Date(minute(50)).toISOString(),
    cause: 'silence',
    fix: 'restart',
  })
  expect(shown.problems.every(({ fix }) => fix !== null)).toBe(true)
  expect(JSON.stringify(shown)).not.toContain('secret')
  const whole = JSON.stringify(await ask(report, admin))
  expect([whole.includes('secret.ts:3'), whole.includes('/secret/path')]).toEqual([true, true])
})

it('shares a read for 5 s, but no failure, and shows how the database grows', async () => {
  const { store } = await running()
  const sizes = [[{ table: 'inputs', bytes: 10, rowCount: null }], [{ table: 'inputs', bytes: 25, rowCount: 3 }]]
  let reads = 0
  let isDown = true
  const tableSizes = async () => {
    if (isDown) throw new CrunchError('STORE_UNAVAILABLE', 'away')
    reads += 1
    return sizes[reads - 1] ?? []
  }
  let time = 0
  const context = { ...contextOf({ ...store, tableSizes }) }
  const read = createReader(context, () => time)
  await expect(read()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  isDown = false
  expect((await Promise.all([read(), read()])).map(({ growth }) => growth)).toEqual([null, null])
  time = 4_999
  await read()
  expect(reads).toBe(1)
  time = 5_000
  expect((await read()).growth).toEqual({ bytes: 15, since: new Date(minute(60)).toISOString() })
})

function contextOf(reads: ReportContext['reads']): ReportContext {
  const clock = { now: () => minute(60), refresh: async () => minute(60), turn: async () => {} }
  return { reads, clock, contract: { feeds: [] } } as unknown as ReportContext
}
