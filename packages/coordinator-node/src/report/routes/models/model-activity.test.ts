import { describe, expect, it } from 'vitest'
import { minute, prediction, prepare, round } from '../../../ports/store-samples.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'

async function prepared() {
  const under = reportUnderTest()
  await prepare(under.store, ['a', 'b', 'new'])
  const problem = { status: 'ABSENT', output: null, reason: 'timeout', blame: 'model', detail: 'no answer' } as const
  for (const count of [0, 30]) {
    const asked = round(count)
    await under.store.openRound(asked)
    await under.store.recordAnswers(asked.id, minute(count) + 90, [
      prediction(asked, 'a', { durationMs: 10 + count }),
      prediction(asked, 'b', problem),
    ])
  }
  return under
}

describe('/reports/models/activity', () => {
  it('shows the answers of every model in the last day', async () => {
    const { body } = await (await prepared()).get('/reports/models/activity')
    const since = '2026-02-28T11:00:00.000Z'
    expect(body).toEqual([
      {
        model_id: 'a',
        model_name: 'model a',
        since,
        counts: { PENDING: 2, SCORED: 0, FAILED: 0, ABSENT: 0 },
        reasons: {},
        latency_ms: { p50: 25, p95: 38.5, max: 40 },
        last_prediction_at: '2026-03-01T10:30:00.000Z',
        last_answer_at: '2026-03-01T10:30:00.000Z',
        last_problem: null,
      },
      {
        model_id: 'b',
        model_name: 'model b',
        since,
        counts: { PENDING: 0, SCORED: 0, FAILED: 0, ABSENT: 2 },
        reasons: { timeout: 2 },
        latency_ms: null,
        last_prediction_at: '2026-03-01T10:30:00.000Z',
        last_answer_at: null,
        last_problem: {
          status: 'ABSENT',
          reason: 'timeout',
          blame: 'model',
          detail: 'no answer',
          at: '2026-03-01T10:30:00.000Z',
        },
      },
      {
        model_id: 'new',
        model_name: 'model new',
        since,
        counts: { PENDING: 0, SCORED: 0, FAILED: 0, ABSENT: 0 },
        reasons: {},
        latency_ms: null,
        last_prediction_at: null,
        last_answer_at: null,
        last_problem: null,
      },
    ])
  })

  it.each([
    ['2026-03-01T10:00:00Z', 2],
    ['2026-03-01T10:00:00.001Z', 1],
    ['2026-03-01T12:00:00%2B01:00', 0],
    ['2026-03-01', 2],
  ])('counts from %s on', async (since, count) => {
    const { body } = await (await prepared()).get(`/reports/models/activity?since=${since}`)
    expect(body[0]?.counts).toMatchObject({ PENDING: count })
  })

  it.each([
    ['since=yesterday', /since must be a time/],
    ['since=2026-02-22T10:59:59Z', /since must not be more than 7 days ago/],
  ])('refuses %s', async (query, message) => {
    const { status, body } = await reportUnderTest().get<{ message: string }>(`/reports/models/activity?${query}`)
    expect([status, body.message]).toEqual([422, expect.stringMatching(message)])
  })
})
