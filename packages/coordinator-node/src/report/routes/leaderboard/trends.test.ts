import { describe, expect, it, vi } from 'vitest'
import { leaderboard, minute, periodRounds, prepare } from '../../../ports/store-samples.ts'
import { type ReportUnderTest, reportUnderTest } from '../../report-app.testkit.ts'
import { leaderboardTrends } from './trends.ts'

const day = 1_440

/** A board of a minute with the models in order of rank; a number is the model's value. */
async function close({ store }: ReportUnderTest, end: number, values: Record<string, number | null>, rest = {}) {
  const counts = { metrics: {}, scoreCount: 3, validCount: 3, roundCount: 4, coverage: 0.75 }
  const entries = Object.entries(values).map(([modelId, value], index) => ({
    ...{
      modelId,
      rank: value === null ? null : index + 1,
      unrankedReason: value === null ? ('waiting' as const) : null,
    },
    ...{ windows: { recent: value, anchor: 5 }, ...counts },
  }))
  const board = leaderboard(end, { entries, ...rest })
  await store.closePeriod({ rounds: periodRounds(end), snapshots: [], leaderboard: board })
}

interface Trends {
  readonly compared_with: string | null
  readonly times: readonly string[]
  readonly models: readonly unknown[]
}

const time = (end: number) => new Date(minute(end)).toISOString()

describe('/reports/leaderboard/trends', () => {
  it('has for each model of the newest board its rank a day before, and its values, oldest first', async () => {
    const under = reportUnderTest()
    await prepare(under.store)
    await close(under, -10, { c: 9, b: 8, a: 7 })
    await close(under, 0, { b: 4, gone: 3, a: null })
    await close(under, 10, { a: 1, gone: 0 })
    await close(under, day, { a: null, b: 0.5 })
    await close(under, day + 5, { __ensemble_main__: 3, a: 2, b: 1, c: null })
    const { body } = await under.get('/reports/leaderboard/trends?points=3')
    expect(leaderboardTrends.answer.parse(body)).toEqual(body)
    expect(body).toEqual({
      as_of: time(day + 5),
      compared_with: time(0),
      key: 'score_recent',
      direction: 'desc',
      times: [time(10), time(day), time(day + 5)],
      models: [
        { model_id: 'a', rank: 2, rank_before: null, values: [1, null, 2] },
        { model_id: 'b', rank: 3, rank_before: 1, values: [null, 0.5, 1] },
        { model_id: 'c', rank: null, rank_before: null, values: [null, null, null] },
      ],
    })
    const all = await under.get<Trends>('/reports/leaderboard/trends?include_ensembles=true')
    expect(all.body.models[0]).toMatchObject({ model_id: '__ensemble_main__', rank: 1 })
    expect(all.body.times).toHaveLength(5)
  })

  it('compares no board of another era or another ranking window', async () => {
    const under = reportUnderTest()
    await prepare(under.store)
    await close(under, 0, { a: 4 })
    await close(under, 10, { a: 3 }, { rankBy: 'anchor' })
    await under.store.enterEra({
      ...{
        competition: { crunchId: 'c', name: 'n' },
        structure: { of: 1 },
        fingerprint: 'one',
        codeHash: 'x',
        at: minute(0),
      },
    })
    await under.store.beginEra({ after: 1, structure: { of: 2 }, fingerprint: 'two', at: minute(11) })
    await close(under, 20, { a: 2 }, { era: 2, asOf: minute(20) })
    await close(under, day + 10, { a: 1 }, { era: 2 })
    const { body } = await under.get<Trends>('/reports/leaderboard/trends')
    expect([body.compared_with, body.times]).toEqual([null, [time(20), time(day + 10)]])
  })

  it('reads each board once', async () => {
    const under = reportUnderTest()
    await prepare(under.store)
    const read = vi.fn(under.store.rankingsAt)
    const { get } = reportUnderTest({ reads: { ...under.store, rankingsAt: read } })
    const ask = () => get('/reports/leaderboard/trends?points=5')
    for (const end of [10, 20]) await close(under, end, { a: end })
    await Promise.all([ask(), ask()])
    await close(under, 30, { a: 30, late: 2 })
    const { body } = await ask()
    expect(read.mock.calls).toEqual([[[minute(10), minute(20)]], [[minute(30)]]])
    expect(body).toMatchObject({
      models: [
        { model_id: 'a', values: [10, 20, 30] },
        { model_id: 'late', values: [null, null, 2] },
      ],
    })
    // A failure of the store is not remembered.
    await close(under, 40, { a: 40 })
    read.mockRejectedValueOnce(new Error('cut'))
    expect([(await ask()).status, (await ask()).status]).toEqual([500, 200])
  })

  it.each(['points=0', 'points=101', 'points=1e1', 'include_ensembles=maybe', 'point=3', 'projectIds=a'])(
    'refuses %s',
    async (query) => {
      expect((await reportUnderTest().get(`/reports/leaderboard/trends?${query}`)).status).toBe(422)
    },
  )
})
