import { expect, it } from 'vitest'
import type { Json } from '../domain/json/json.ts'
import type { StoreUnderTest } from './store.testsuite.ts'
import {
  answeredRound,
  btc,
  candle,
  filter,
  leaderboard,
  minute,
  periodRounds,
  prediction,
  prepare,
  resolveAll,
  round,
  settleRequest,
  snapshot,
} from './store-samples.ts'

const doubles: readonly number[] = [
  0.1 + 0.2,
  1 / 3,
  Math.PI * 1e300,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  2.225073858507201e-308,
  Number.EPSILON,
  Number.MAX_SAFE_INTEGER,
  2 ** 53 + 2,
  -1e21,
  123456789.12345679,
  5e-7,
]

const oddTexts: readonly string[] = [
  '',
  'ünïcödé \u{1F600} 漢字',
  'line\nbreak\ttab "quote" \\ back',
  'null\u0000byte',
  'lone \ud800 surrogate \udfff',
  'private \uf8ff\uf8ff0000 \uf8ff',
  '\\u0000 \\ud800 as written',
  '\u001f\u007f\u2028\u2029\ufeff',
]

const odd: Json = { doubles, texts: oddTexts, deep: [[[{ a: [null, true, false, {}] }]]], '': { 'null\u0000key': 1 } }

export function jsonTests(context: StoreUnderTest): void {
  documentTests(context)
  columnTests(context)
}

function documentTests(context: StoreUnderTest): void {
  it('restores the values of records exactly', async () => {
    const { store } = context
    const record = candle(0, { odd, constructor: 1, toString: 'x' })
    await store.appendRecords([record])
    expect(await store.latestRecords(btc, 1, minute(9))).toEqual([record])
    expect(await store.appendRecords([record])).toMatchObject({ duplicateCount: 1, revisions: [] })
  })

  it('restores inputs, outputs, truths and scores exactly', async () => {
    const { store } = context
    await prepare(store)
    const asked = round(0, { input: { odd } })
    await store.openRound(asked)
    expect(await store.unansweredRounds()).toEqual([asked])
    await store.recordAnswers(asked.id, minute(1), [prediction(asked, 'a', { output: odd })])
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => ({
      ...resolveAll(due, { value: { odd } }),
      actuals: odd,
    }))
    const [report] = await store.predictionReports(filter())
    expect(report?.prediction.output).toEqual(odd)
    expect(report?.score?.value).toEqual({ odd })
  })

  it.each([
    ['null', null],
    ['a text', 'x'],
    ['a number', 0.1],
    ['a list', [1]],
    ['true', true],
  ] as const)('restores an output that is %s', async (_, output) => {
    const { store } = context
    await prepare(store)
    await store.openRound(round(0))
    await store.recordAnswers(round(0).id, minute(1), [prediction(round(0), 'a', { output })])
    expect((await store.predictionReports(filter()))[0]?.prediction.output).toEqual(output)
  })
}

function columnTests(context: StoreUnderTest): void {
  it('restores doubles outside JSON exactly', async () => {
    const { store } = context
    await prepare(store)
    for (const [index, value] of doubles.entries()) {
      const asked = round(index)
      await store.openRound(asked)
      await store.recordAnswers(asked.id, minute(1), [prediction(asked, 'a', { durationMs: value })])
    }
    await store.settleRounds(settleRequest({ now: minute(90) }), (due) => {
      const value = due.predictions[0]?.durationMs ?? null
      return resolveAll(due, { signal: value, actual: value })
    })
    const results = await store.periodResults(minute(0), minute(99))
    expect(results.map(({ signal }) => signal)).toEqual(doubles)
    expect(results.map(({ actual }) => actual)).toEqual(doubles)
    const reports = await store.predictionReports(filter())
    expect(reports.map((report) => report.prediction.durationMs)).toEqual(doubles)
  })

  it('restores snapshots and leaderboards exactly', async () => {
    const { store } = context
    await prepare(store)
    const sums = Object.fromEntries(doubles.map((sum, count) => [`field ${count}`, { sum, count }]))
    const kept = snapshot('a', 10, { sums, metrics: { 'ün\u0000ï': Number.MIN_VALUE, none: null } })
    await store.closePeriod({ snapshots: [kept], rounds: periodRounds(10), leaderboard: leaderboard(10) })
    expect(await store.snapshotReports(filter())).toEqual([kept])
  })

  it('restores unusual texts outside JSON exactly', async () => {
    const { store } = context
    await prepare(store)
    for (const [index, text] of oddTexts.entries()) {
      const asked = round(index)
      await store.openRound(asked)
      const failed = { status: 'FAILED', output: null, reason: 'model_error', blame: 'model', detail: text } as const
      await store.recordAnswers(asked.id, minute(1), [prediction(asked, 'a', failed)])
    }
    const reports = await store.predictionReports(filter())
    expect(reports.map((report) => report.prediction.detail)).toEqual(oddTexts)
    await store.putFeedStatus(btc, 'down', oddTexts.join(), minute(1))
    expect((await store.feedStates())[0]?.statusReason).toBe(oddTexts.join())
  })

  it('distinguishes models whose ids differ in characters that a database may not accept', async () => {
    const { store } = context
    const ids = ['x', 'x\u0000', 'x\ud800', 'x\ufffd', 'x\uf8ff']
    await prepare(store, ids)
    expect(new Set((await store.models()).map(({ id }) => id))).toEqual(new Set(ids))
    await answeredRound(store, round(0), ids)
    for (const id of ids) {
      const reports = await store.predictionReports(filter({ modelIds: [id] }))
      expect(reports.map((report) => report.prediction.modelId)).toEqual([id])
    }
  })
}
