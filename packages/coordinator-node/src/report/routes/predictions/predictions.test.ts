import { describe, expect, it } from 'vitest'
import {
  answeredRound,
  candle,
  minute,
  model,
  prediction,
  prepare,
  resolveAll,
  round,
  score,
  settleRequest,
} from '../../../ports/store-samples.ts'
import type { DueRound, RoundSettlement } from '../../../ports/store-settlement.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'

async function prepared(roundCount = 1) {
  const under = reportUnderTest()
  await prepare(under.store)
  for (let count = 0; count < roundCount; count += 1) await answeredRound(under.store, round(count))
  return under
}

async function settle(under: ReturnType<typeof reportUnderTest>, decide: (due: DueRound) => RoundSettlement) {
  await under.store.appendRecords([candle(0), candle(20)])
  await under.store.settleRounds(settleRequest({ now: minute(21) }), decide)
}

describe('/reports/predictions', () => {
  it('shows a pending prediction as waiting, never as failed, and hides its value', async () => {
    const [row] = (await (await prepared()).get('/reports/predictions?projectIds=a')).body
    expect(row).toEqual({
      value: null,
      error: null,
      id: expect.stringMatching(/^PRE_a_INP_/),
      round_id: expect.stringMatching(/^INP_/),
      model_id: 'a',
      prediction_config_id: 'BTCUSDT-5m',
      scope_key: 'BTCUSDT-300',
      scope: { subject: 'BTCUSDT', horizon: 300, step: 60 },
      param: 'BTCUSDT-300-60',
      subject: 'BTCUSDT',
      asset: 'BTCUSDT',
      horizon: 300,
      step: 60,
      source: 'binance',
      kind: 'candle',
      granularity: '1m',
      status: 'PENDING',
      reason: null,
      blame: null,
      duration_ms: 12.5,
      output: null,
      hidden_until: '2026-03-01T10:05:00.000Z',
      truth: null,
      void_reason: null,
      score: null,
      score_value: null,
      signal_value: null,
      actual_value: null,
      score_kind: null,
      score_failed: false,
      score_failed_reason: null,
      contract_version: null,
      score_success: false,
      scored_at: null,
      performed_at: '2026-03-01T10:00:00.000',
      resolvable_at: '2026-03-01T10:05:00.000',
    })
  })

  it('shows scores with naive times, to which a chart can append a Z', async () => {
    const under = await prepared()
    await settle(under, (due) => resolveAll(due, { value: { value: 1.25, error: 2, hit: true } }))
    const [row] = (await under.get('/reports/predictions')).body
    expect(row).toMatchObject({ status: 'SCORED', score_value: 1.25, value: 1.25, error: 2, score_kind: 'valid' })
    expect(row).toMatchObject({ signal_value: 0.5, actual_value: 0.25 })
    expect(row).toMatchObject({ score_failed: false, score_success: true, scored_at: '2026-03-01T10:05:00.040' })
    for (const key of ['performed_at', 'resolvable_at', 'scored_at']) expect(Date.parse(`${row?.[key]}Z`)).not.toBeNaN()
    expect(row).toMatchObject({ output: { value: 0.5 }, hidden_until: null, truth: { return: 0.01 } })
    expect(row).toMatchObject({ score: { value: 1.25, error: 2, hit: true } })
    expect(row).not.toHaveProperty('hit')
  })

  it('marks failed scores and missing answers as alerts, with the imputed score', async () => {
    const under = reportUnderTest()
    await prepare(under.store)
    const one = round(0)
    await under.store.openRound(one)
    const absent = { status: 'ABSENT', reason: 'timeout', blame: 'model', output: null } as const
    await under.store.recordAnswers(one.id, minute(0) + 90, [prediction(one, 'a'), prediction(one, 'b', absent)])
    await settle(under, (due) => ({
      ...resolveAll(due),
      kind: 'resolved',
      actuals: {},
      missingValue: -3,
      moves: [{ predictionId: prediction(one, 'a').id, to: 'SCORED', reason: null, blame: null, detail: null }],
      scores: [
        score(prediction(one, 'a'), { kind: 'failed', value: null, reason: 'the scorer threw' }),
        score(prediction(one, 'b', absent), { kind: 'imputed', value: { value: -3 } }),
      ],
    }))
    const { body } = await under.get('/reports/predictions')
    expect(body.map((row) => [row.model_id, row.score_failed, row.score_failed_reason, row.score_value])).toEqual([
      ['a', true, 'the scorer threw', null],
      ['b', true, 'timeout', -3],
    ])
    expect(body.map((row) => row.score_success)).toEqual([false, false])
  })

  it.each([
    ['projectIds=a,b', ['a', 'b']],
    ['projectIds=a&projectIds=b', ['a', 'b']],
    ['projectIds=%20b%20,nobody', ['b']],
    ['projectIds=nobody', []],
    ['projectIds=', ['a', 'b']],
    ['', ['a', 'b']],
  ])('takes %s as models', async (query, expected) => {
    const { body } = await (await prepared()).get(`/reports/predictions?${query}`)
    expect(body.map((row) => row.model_id)).toEqual(expected)
  })

  it('returns the newest rows when limited, oldest first', async () => {
    const { body } = await (await prepared(5)).get('/reports/predictions?projectIds=a&limit=2')
    expect(body.map((row) => row.performed_at)).toEqual(['2026-03-01T10:03:00.000', '2026-03-01T10:04:00.000'])
  })

  it.each([
    ['start=2026-03-01T10:01:00.000Z&end=2026-03-01T10:02:00Z', 2],
    ['start=2026-03-01T11:03:00%2B01:00', 2],
    ['end=2026-03-01T10:00:00', 1],
    ['start=2026-03-02&end=2026-03-03', 0],
  ])('takes %s as range, both ends included', async (query, count) => {
    const { body } = await (await prepared(5)).get(`/reports/predictions?projectIds=a&${query}`)
    expect(body).toHaveLength(count)
  })

  it('covers the week before the end by default', async () => {
    const under = await prepared()
    expect((await under.get('/reports/predictions?end=2026-03-08T10:00:00Z')).body).toHaveLength(2)
    expect((await under.get('/reports/predictions?end=2026-03-08T10:00:01Z')).body).toHaveLength(0)
  })

  it('excludes ensembles unless requested, without gaps in the result', async () => {
    const under = reportUnderTest()
    await prepare(under.store)
    await under.store.registerModels([model('__ensemble_main__')], minute(0))
    await answeredRound(under.store, round(0), ['__ensemble_main__', 'a'])
    const ids = async (query: string) =>
      (await under.get(`/reports/predictions?${query}`)).body.map((row) => row.model_id)
    expect(await ids('limit=1')).toEqual(['a'])
    expect(await ids('include_ensembles=true')).toEqual(['__ensemble_main__', 'a'])
    expect(await ids('projectIds=__ensemble_main__')).toEqual(['__ensemble_main__'])
  })
})
