import { describe, expect, it } from 'vitest'
import { leaderboard, minute, periodRounds, prepare, snapshot } from '../../../ports/store-samples.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'
import { modelHistory } from './model-history.ts'

const path = '/reports/models/a/history'

/** Boards and snapshots of these minutes; `a` has no place on the first. */
async function closed(ends: readonly number[]) {
  const under = reportUnderTest()
  await prepare(under.store, ['a', 'b', 'c', '__ensemble_x__'])
  const counts = { metrics: {}, scoreCount: 3, validCount: 3, roundCount: 4, coverage: 0.75, unrankedReason: null }
  for (const [index, end] of ends.entries()) {
    const ids = index === 0 ? ['b', 'c'] : ['a', 'b', 'c', '__ensemble_x__']
    const entries = ids.map((modelId, at) => ({ modelId, rank: at + 1, windows: { recent: end - at }, ...counts }))
    const snapshots = ids.filter((id) => id !== 'c').map((id) => snapshot(id, end))
    const board = leaderboard(end, { entries })
    await under.store.closePeriod({ rounds: periodRounds(end), snapshots, leaderboard: board })
  }
  return under
}

const time = (end: number) => new Date(minute(end)).toISOString()

describe('/reports/models/{model_id}/history', () => {
  it('has a row for each closed period, with the field and a rival', async () => {
    const { get } = await closed([10, 20])
    const { body } = await get(`${path}?rival=c`)
    expect(modelHistory.answer.parse(body)).toEqual(body)
    expect(body).toEqual([
      {
        ...{ period_start: null, period_end: time(10), era: 1 },
        ...{ value: null, rank: null, period_value: null, score_count: null, coverage: null },
        field: { p5: 9.05, p25: 9.25, p50: 9.5, p75: 9.75, p95: 9.95 },
        rival: { value: 9, rank: 2, period_value: null, score_count: null, coverage: null },
      },
      {
        ...{ period_start: time(10), period_end: time(20), era: 1 },
        ...{ value: 20, rank: 1, period_value: (0.1 + 0.2) / 3, score_count: 3, coverage: 0.75 },
        field: { p5: 18.1, p25: 18.5, p50: 19, p75: 19.5, p95: 19.9 },
        rival: { value: 18, rank: 3, period_value: null, score_count: null, coverage: null },
      },
    ])
    expect((await get(path)).body[0]?.rival).toBeNull()
  })

  it('takes a range, and at most the wanted number of periods, the newest included', async () => {
    const { get } = await closed([-20, -10, 0, 10, 20, 30, 40, 50])
    const ends = async (query: string) => (await get(`${path}?${query}`)).body.map((row) => row.period_end)
    expect(await ends(`since=${time(0)}&until=${time(20)}`)).toEqual([0, 10, 20].map(time))
    for (const points of [1, 2, 3, 4, 7]) {
      const found = await ends(`points=${points}`)
      expect([points, found.length <= points, found.at(-1)]).toEqual([points, true, time(50)])
    }
    expect((await ends('points=5')).length).toBeGreaterThan(2)
    expect(await ends(`until=${time(-60 * 24 * 40)}`)).toEqual([])
  })

  it('names what exists, and refuses what it does not know', async () => {
    const { get } = await closed([10])
    expect((await get('/reports/models/A/history')).status).toBe(404)
    expect((await get(`${path}?rival=unknown`)).status).toBe(404)
    for (const query of [
      'points=0',
      'points=1001',
      'since=soon',
      `since=${time(1)}&until=${time(0)}`,
      'rivals=b',
      'rival=',
    ]) {
      expect([query, (await get(`${path}?${query}`)).status]).toEqual([query, 422])
    }
  })
})
