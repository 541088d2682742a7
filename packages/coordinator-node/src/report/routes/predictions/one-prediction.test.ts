import { describe, expect, it } from 'vitest'
import type { Store } from '../../../ports/store.ts'
import {
  answeredRound,
  candle,
  minute,
  model,
  prediction,
  prepare,
  resolveAll,
  round,
  settleRequest,
} from '../../../ports/store-samples.ts'
import { anyone, type Viewer } from '../../access/viewer.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'
import { serveOneRound } from '../rounds/one-round.ts'
import { serveOnePrediction } from './one-prediction.ts'
import { servePredictions } from './predictions.ts'
import { serveTrace } from './trace.ts'

// An id that must be escaped in the ids of its rows.
const odd = 'a_b/ü'
const id = 'PRE_a_INP_BTCUSDT-5m_20260301_100000.000'

async function prepared() {
  const under = reportUnderTest()
  await prepare(under.store, ['a'])
  await under.store.registerModels([model(odd)], minute(0))
  await answeredRound(under.store, round(0), ['a', odd])
  return under
}

const settle = async (store: Store) => {
  await store.appendRecords([candle(0), candle(20)])
  await store.settleRounds(settleRequest({ now: minute(21) }), (due) => resolveAll(due))
}

describe('one prediction', () => {
  it('is found by its id, also with characters that paths escape', async () => {
    const under = await prepared()
    const rows = (await under.get('/reports/predictions')).body
    expect(rows).toHaveLength(2)
    for (const row of rows) {
      const path = `/reports/predictions/${encodeURIComponent(String(row.id))}`
      expect((await under.get<unknown>(path)).body).toEqual(row)
    }
  })

  it.each([
    ['PRE_a_INP_other', /model a has none in INP_other/],
    ['PRE_nobody_INP_BTCUSDT-5m_20260301_100000.000', /model nobody has none/],
    ['INP_BTCUSDT-5m_20260301_100000.000', /that is no id of a prediction/],
    ['PRE_~zz~_INP_x', /model ~zz~ has none|no id of a prediction/],
  ])('%s is answered with 404 and the reason', async (id, message) => {
    const { status, body } = await (await prepared()).get<{ message: string }>(`/reports/predictions/${id}`)
    expect([status, body.message]).toEqual([404, expect.stringMatching(message)])
  })

  it.each([
    ['%00', 400],
    ['a%0Ab', 422],
  ])('an id with a control character (%s) is refused', async (id, status) => {
    expect((await reportUnderTest().get<unknown>(`/reports/predictions/${id}`)).status).toBe(status)
  })
})

describe('who sees an answer to a round without a truth', () => {
  const viewers: readonly (readonly [string, Viewer, unknown])[] = [
    ['the public does not', anyone, null],
    ['another participant does not', { role: 'participant', cruncherId: 'c-x' }, null],
    ['its owner does', { role: 'participant', cruncherId: 'c-a' }, { value: 0.5 }],
    ['an admin does', { role: 'admin', by: 'key' }, { value: 0.5 }],
    ['a program on this machine, such as a model, does not', { role: 'admin', by: 'loopback' }, null],
  ]
  it.each(viewers)('%s, in every route', async (_, viewer, output) => {
    const { as } = await prepared()
    const params = { prediction_id: id, round_id: id.slice('PRE_a_'.length) }
    expect(await as(viewer, serveOnePrediction, { params })).toMatchObject({ output })
    expect(await as(viewer, serveOneRound, { params })).toMatchObject({ predictions: [{ output }, {}] })
    const query = { projectIds: ['a'], include_ensembles: false, limit: 1 }
    expect(await as(viewer, servePredictions, { query })).toMatchObject([{ output }])
    const trace = as(viewer, serveTrace, { params })
    if (viewer.role === 'participant' && viewer.cruncherId !== 'c-a') {
      await expect(trace).rejects.toMatchObject({ code: 'NOT_FOUND' })
    } else expect(await trace).toMatchObject({ answer: { output } })
  })
})

describe('a trace', () => {
  it('leads from the records of the input to where the score counts', async () => {
    const under = await prepared()
    await settle(under.store)
    const { body } = await under.get(`/reports/predictions/${id}/trace`)
    expect(body).toMatchObject({
      input: { source: 'binance', records: [], value: { subject: 'BTCUSDT' } },
      answer: { status: 'SCORED', duration_ms: 12.5, output: { value: 0.5 }, reason: null, blame: null, detail: null },
      truth: { value: { return: 0.01 }, void_reason: null, resolvable_at: '2026-03-01T10:05:00.000Z' },
      score: { kind: 'valid', value: { value: 1.25 }, scored_at: '2026-03-01T10:05:00.040Z' },
      ...{ snapshot: null, leaderboard: null, checkpoint_id: null },
    })
  })

  it('shows what failed and who is to blame, in words only to the owner', async () => {
    const under = reportUnderTest()
    await prepare(under.store, ['a'])
    const asked = round(0)
    await under.store.openRound(asked)
    const failed = {
      status: 'FAILED',
      output: null,
      reason: 'exception',
      blame: 'model',
      detail: 'secret.py:3',
    } as const
    await under.store.recordAnswers(asked.id, minute(0) + 90, [prediction(asked, 'a', failed)])
    const shown = { status: 'FAILED', reason: 'exception', blame: 'model' }
    const params = { prediction_id: id }
    expect(await under.as(anyone, serveTrace, { params })).toMatchObject({ answer: { ...shown, detail: null } })
    const owner = { role: 'participant', cruncherId: 'c-a' } as const
    expect(await under.as(owner, serveTrace, { params })).toMatchObject({
      answer: { ...shown, detail: 'secret.py:3' },
    })
  })
})
