import { describe, expect, it } from 'vitest'
import { checkpoint, minute, prediction, prepare, round } from '../../../ports/store-samples.ts'
import { type ReportUnderTest, reportUnderTest } from '../../report-app.testkit.ts'
import { modelOutcomes } from './model-outcomes.ts'
import { modelPayouts } from './model-payouts.ts'

const day = 1_440

async function answered(): Promise<ReportUnderTest> {
  const under = reportUnderTest({ clock: { now: () => 0, refresh: async () => minute(day), turn: async () => {} } })
  await prepare(under.store)
  const failed = { status: 'FAILED', reason: 'error', blame: 'model', detail: 'secret', output: null } as const
  for (const [count, own] of [
    [0, failed],
    [1, failed],
    [day - 20, {}],
    [day - 10, failed],
  ] as const) {
    await under.store.openRound(round(count))
    await under.store.recordAnswers(round(count).id, minute(count) + 1, [prediction(round(count), 'a', own)])
  }
  return under
}

describe('/reports/models/{model_id}/outcomes', () => {
  it('has the outcomes of each day and in total, without details', async () => {
    const { get } = await answered()
    const { body } = await get('/reports/models/a/outcomes')
    expect(modelOutcomes.answer.parse(body)).toEqual(body)
    const row = (status: string, count: number) =>
      status === 'FAILED'
        ? { status, reason: 'error', blame: 'model', count }
        : { status, reason: null, blame: null, count }
    expect(body).toEqual({
      ...{ model_id: 'a', since: '2026-02-23T10:00:00.000Z', until: '2026-03-02T10:00:00.000Z' },
      total: [row('FAILED', 3), row('PENDING', 1)],
      days: [
        { day: '2026-03-01', outcomes: [row('FAILED', 2)] },
        { day: '2026-03-02', outcomes: [row('FAILED', 1), row('PENDING', 1)] },
      ],
      latency_quantiles: { p5: 12.5, p25: 12.5, p50: 12.5, p75: 12.5, p95: 12.5, p99: 12.5, max: 12.5 },
    })
    expect(JSON.stringify(body)).not.toContain('secret')
  })

  it('is empty for a model without answers, and refuses ranges that are too long or end before they start', async () => {
    const { get } = await answered()
    expect((await get('/reports/models/b/outcomes')).body).toMatchObject({
      total: [],
      days: [],
      latency_quantiles: null,
    })
    expect((await get('/reports/models/x/outcomes')).status).toBe(404)
    const range = (since: string, until: string) => get(`/reports/models/a/outcomes?since=${since}&until=${until}`)
    expect((await range('2026-01-01', '2026-02-01')).status).toBe(200)
    expect((await range('2026-01-01', '2026-02-02')).status).toBe(422)
    expect((await range('2026-02-02', '2026-02-01')).status).toBe(422)
  })
})

describe('/reports/models/{model_id}/payouts', () => {
  it('has what each checkpoint paid the model, newest first, in pages', async () => {
    const { get, store } = await answered()
    for (const end of [60, 120, 180]) {
      const [entry] = checkpoint(end).entries
      const unpaid = { ...entry, rank: null, rewardFrac64: 0, unpaidReason: 'low_coverage' } as never
      await store.addCheckpoint(checkpoint(end, end === 180 ? { entries: [unpaid] } : {}))
    }
    const first = await get('/reports/models/a/payouts?limit=2')
    expect(modelPayouts.answer.parse(first.body)).toEqual(first.body)
    expect(first.body).toMatchObject([
      { period_end: '2026-03-01T13:00:00.000Z', share: 0, unpaid_reason: 'low_coverage', rank: null },
      { checkpoint_id: checkpoint(120).id, share: 1, reward_pct: 1_000_000_000, status: 'PENDING', tx_hash: null },
    ])
    const next = /^<(\?[^>]+)>/.exec(first.headers.get('link') ?? '')?.[1]
    const second = await get(`/reports/models/a/payouts${next}`)
    expect([second.body.map((row) => row.checkpoint_id), second.headers.get('link')]).toEqual([
      [checkpoint(60).id],
      null,
    ])
    expect((await get('/reports/models/b/payouts')).body).toEqual([])
    const refusals = [
      ['limit=501', 422],
      ['cursor=x', 400],
    ] as const
    for (const [query, status] of refusals) {
      expect((await get(`/reports/models/a/payouts?${query}`)).status).toBe(status)
    }
  })
})
