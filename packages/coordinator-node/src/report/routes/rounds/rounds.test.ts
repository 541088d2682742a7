import { beforeEach, describe, expect, it } from 'vitest'
import {
  answeredRound,
  candle,
  minute,
  prepare,
  resolveAll,
  round,
  settleRequest,
  voidAll,
} from '../../../ports/store-samples.ts'
import { type ReportUnderTest, type Row, reportUnderTest } from '../../report-app.testkit.ts'
import { rounds } from './rounds.ts'

let under: ReportUnderTest
beforeEach(async () => {
  under = reportUnderTest()
  await prepare(under.store)
  for (const count of [0, 1, 2]) await answeredRound(under.store, round(count))
  await under.store.appendRecords([candle(0), candle(6)])
  await under.store.settleRounds(settleRequest({ now: minute(7) }), (due) => {
    if (due.round.id === round(2).id) return { kind: 'wait' }
    return due.round.id === round(0).id ? resolveAll(due) : voidAll(due)
  })
})

/** The rounds of a path and the query of the next page. */
async function page(path: string): Promise<{ readonly rows: readonly Row[]; readonly next: string | undefined }> {
  const { status, body, headers } = await under.get(path)
  expect(status).toBe(200)
  expect(rounds.answer.parse(body)).toEqual(body)
  return { rows: body, next: /^<(\?[^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] }
}

describe('/reports/rounds', () => {
  it('has open, void and resolved rounds, newest first, without the answers', async () => {
    const { rows, next } = await page('/reports/rounds')
    expect(next).toBeUndefined()
    expect(rows).toMatchObject([
      { state: 'open', truth: null, settled_at: null, answers: { PENDING: 2, SCORED: 0 }, best_model: null },
      { state: 'void', void_reason: 'truth_unavailable', answers: { FAILED: 2 }, best_model: null },
      {
        ...{
          id: round(0).id,
          state: 'resolved',
          status: 'RESOLVED',
          scope_key: 'BTCUSDT-300',
          truth: { return: 0.01 },
        },
        ...{ performed_at: '2026-03-01T10:00:00.000Z', resolvable_at: '2026-03-01T10:05:00.000Z' },
        settled_at: '2026-03-01T10:05:00.040Z',
        answers: { PENDING: 0, SCORED: 2, FAILED: 0, ABSENT: 0 },
        best_model: { model_id: 'a', model_name: 'model a', value: 1.25 },
      },
    ])
    // The answer of the samples.
    expect(JSON.stringify(rows)).not.toContain('"output"')
    expect(rows[0]).not.toHaveProperty('input')
  })

  it('goes on where a page ended, although rounds have opened since, with the same filters', async () => {
    const first = await page('/reports/rounds?limit=1&subject=BTCUSDT')
    await answeredRound(under.store, round(3))
    const second = await page(`/reports/rounds${first.next}`)
    const third = await page(`/reports/rounds${second.next}`)
    expect([first, second, third].flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(
      [2, 1, 0].map((count) => round(count).id),
    )
    expect([second.next?.includes('subject=BTCUSDT'), third.next]).toEqual([true, undefined])
  })

  it('selects by state, series, schedule and time', async () => {
    const count = async (query: string) => (await page(`/reports/rounds?${query}`)).rows.length
    expect([await count('state=open'), await count('state=void'), await count('state=resolved')]).toEqual([1, 1, 1])
    expect([await count('subject=ETHUSDT'), await count('prediction_config_id=BTCUSDT-5m')]).toEqual([0, 3])
    expect(await count('since=2026-03-01T10:01:00Z&until=2026-03-01T10:01:00Z')).toBe(1)
  })

  it('gives fewer rounds, and the next page, where these have too many answers', async () => {
    const models = Array.from({ length: 50_000 }, (_, index) => ({ id: `m${index}`, name: 'x' }))
    const { get } = reportUnderTest({ reads: { ...under.store, models: async () => models as never } })
    const { body, headers } = await get('/reports/rounds')
    expect([body.length, headers.get('link') === null]).toEqual([2, false])
  })

  it.each([
    ...[
      'state=RECEIVED',
      'limit=0',
      'limit=501',
      'cursor=x',
      `cursor=${btoa('[1]')}`,
      'subject=',
      'since=soon',
      'status=open',
    ],
    'since=2026-03-02&until=2026-03-01',
  ])('refuses %s', async (query) => {
    const status = query.startsWith('cursor=') ? 400 : 422
    expect((await under.get(`/reports/rounds?${query}`)).status).toBe(status)
  })
})
