import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../ports/log.ts'
import { answeredRound, btc, candle, minute, prediction, prepare, round, snapshot } from '../../ports/store-samples.ts'
import { fromHere, type ReportUnderTest, reportUnderTest } from '../report-app.testkit.ts'
import type { ReportContext } from '../report-context.ts'
import { createAnswerMetrics } from './answer-metrics.ts'
import { createNodeMetrics } from './node-metrics.ts'

/** Samples by name with labels. Throws for text that is not in the exposition format. */
function parse(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  expect(text.endsWith('\n')).toBe(true)
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, kind, of = '', rest = ''] = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line) ?? []
    if (kind === 'TYPE') types.set(of, rest)
    if (kind !== undefined) continue
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/.exec(line)
    if (sample === null) throw new Error(`not a sample: ${line}`)
    const [, name = '', labels = '', value] = sample
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
    expect(types.has(family), `${name} has a type`).toBe(true)
    expect(name.startsWith('crunch_')).toBe(true)
    expect(types.get(family) === 'counter', `${name} ends in _total if and only if it is a counter`).toBe(
      name.endsWith('_total'),
    )
    expect(samples.has(name + labels), `${line} is there once`).toBe(false)
    samples.set(name + labels, value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value))
    expect(samples.get(name + labels)).not.toBeNaN()
  }
  return samples
}

async function scrape({ app }: Pick<ReportUnderTest, 'app'>) {
  const response = await app.request('/metrics', fromHere.init, fromHere.env)
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ])
  return parse(await response.text())
}

describe('/metrics', () => {
  it('shows the feeds, rounds, models and workers as they are stored', async () => {
    const under = reportUnderTest()
    const { store } = under
    await store.appendRecords([candle(58)])
    await store.putFeedStatus(btc, 'up', null, minute(59))
    await prepare(store)
    await answeredRound(store, round(10))
    await store.openRound(round(59))
    await store.beat({ worker: 'predict', nextWithinMs: 1, hasWorked: true, problem: null })
    const samples = await scrape(under)
    const feed = '{feed="binance:BTCUSDT:candle:1m"}'
    expect(Object.fromEntries(samples)).toMatchObject({
      ...{ crunch_database_up: 1, 'crunch_build_info{version="1.2.3"}': 1, crunch_standstills: 0 },
      ...{ [`crunch_feed_up${feed}`]: 1, [`crunch_feed_lag_seconds${feed}`]: 60 },
      ...{ 'crunch_models{state="active"}': 2, 'crunch_rounds_waiting{for="answers"}': 1 },
      ...{ 'crunch_rounds_total{outcome="resolved"}': 0, 'crunch_worker_failing{worker="predict"}': 0 },
    })
    expect(samples.get('crunch_worker_heartbeat_age_seconds{worker="predict"}')).toBeLessThan(60)
  })

  it('counts requests by the pattern of their route, and lets no client add a label', async () => {
    const under = reportUnderTest({ access: { legacyKey: 'secret' } })
    const paths = ['/healthz', '/healthz?x=1', '/reports/models/a', '/reports/models/b', '/nothing/1', '/k/secret/info']
    for (const path of paths) await under.app.request(path, fromHere.init, fromHere.env)
    await under.app.request('/reports/backfill/jobs', fromHere.init, fromHere.env)
    await under.app.request('/info', { ...fromHere.init, method: 'BREW' }, fromHere.env)
    const samples = await scrape(under)
    const counts = [...samples].filter(([name]) => name.startsWith('crunch_http_requests_total'))
    const of = (method: string, route: string, status: number) =>
      `crunch_http_requests_total{method="${method}",route="${route}",status="${status}"}`
    expect(Object.fromEntries(counts)).toEqual({
      ...{ [of('GET', '/healthz', 200)]: 2, [of('GET', '/reports/models/:model_id', 404)]: 2 },
      ...{ [of('GET', 'none', 404)]: 1, [of('GET', '/info', 200)]: 1 },
      ...{ [of('GET', '/reports/backfill/jobs', 401)]: 1, [of('other', '/info', 405)]: 1 },
    })
    expect(samples.get('crunch_http_request_duration_seconds_count{method="GET",route="/healthz"}')).toBe(2)
  })

  it('counts every answer once from the first read on, by outcome and reason', async () => {
    const { store } = reportUnderTest()
    await prepare(store)
    await answeredRound(store, round(1))
    const registry = new Registry()
    const answers = createAnswerMetrics(registry)
    const read = async (at: number) => answers.read(store, await store.pipelineProgress(minute(at)), minute(at))
    await read(10)
    const late = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', detail: 'x' } as const
    const odd = { ...late, status: 'FAILED', reason: 'what the model "says"\n' } as const
    const [asked, open] = [round(11), round(13)]
    await store.openRound(asked)
    const rows = [prediction(asked, 'a', late), prediction(asked, 'b', odd)]
    await store.recordAnswers(asked.id, asked.performedAt + 90, rows)
    await answeredRound(store, round(12))
    await store.openRound(open)
    await answeredRound(store, round(14))
    const counts = async () =>
      Object.fromEntries([...parse(await registry.metrics())].filter(([name]) => /_total|_count/.test(name)))
    const first = {
      ...{ 'crunch_predictions_total{outcome="valid"}': 2, 'crunch_predictions_total{outcome="absent"}': 1 },
      ...{ 'crunch_predictions_total{outcome="failed"}': 1, crunch_model_answer_duration_seconds_count: 2 },
      'crunch_model_failures_total{reason="timeout",blame="model"}': 1,
      'crunch_model_failures_total{reason="other",blame="model"}': 1,
      crunch_metrics_incomplete_reads_total: 0,
    }
    // What comes after a round without answers waits for it.
    for (const at of [20, 21]) {
      await read(at)
      expect(await counts()).toEqual(first)
    }
    await store.recordAnswers(
      open.id,
      open.performedAt + 90,
      ['a', 'b'].map((id) => prediction(open, id)),
    )
    await read(22)
    expect((await counts())['crunch_predictions_total{outcome="valid"}']).toBe(6)
  })

  it('counts the scores of periods that close after the first read', async () => {
    const { store } = reportUnderTest()
    const registry = new Registry()
    const answers = createAnswerMetrics(registry)
    const reads = { ...store, snapshotReports: async () => [snapshot('a', 20, { scoreCount: 5, validCount: 3 })] }
    const progress = { ...(await store.pipelineProgress(minute(20))), lastPeriodEnd: minute(10) }
    for (const end of [10, 20, 20]) await answers.read(reads, { ...progress, lastPeriodEnd: minute(end) }, minute(30))
    const samples = parse(await registry.metrics())
    expect(samples.get('crunch_scores_total{outcome="valid"}')).toBe(3)
    expect(samples.get('crunch_scores_total{outcome="imputed"}')).toBe(2)
  })

  it('shares one read among scrapes of 5 s, and says that the database is gone instead of what it said before', async () => {
    const { store } = reportUnderTest()
    await store.appendRecords([candle(58)])
    let reads = 0
    let monotonicMs = 0
    const counted = {
      ...store,
      roundCounts: () => {
        reads += 1
        return store.roundCounts()
      },
    }
    const registry = new Registry()
    const node = createNodeMetrics(registry, { ...contextOf(counted) }, () => monotonicMs)
    await Promise.all([node.refresh(), node.refresh()])
    monotonicMs = 4_999
    await node.refresh()
    expect(reads).toBe(1)
    expect(parse(await registry.metrics()).get('crunch_database_up')).toBe(1)
    await store.close()
    monotonicMs = 5_000
    await node.refresh()
    expect(reads).toBe(2)
    const left = [...parse(await registry.metrics())].filter(([name]) => /_(up|waiting|lag|feed)/.test(name))
    expect(left).toEqual([['crunch_database_up', 0]])
  })
})

function contextOf(reads: ReportContext['reads']): ReportContext {
  const info = { crunchId: '', crunchAddress: '', network: '', version: '1', era: { number: 1, beganAt: 0 } }
  const clock = { now: () => minute(60), refresh: async () => minute(60), turn: async () => {} }
  const contract = { feeds: ['binance:BTCUSDT:candle:1m'] } as unknown as ReportContext['contract']
  const contractVersion = { number: 1, hash: '', era: 1, firstSeenAt: 0 }
  return { reads, clock, contract, log: silentLog, info: { ...info, contractVersion } }
}
