import { describe, expect, it } from 'vitest'
import type { LeaderboardEntry } from '../domain/leaderboard.ts'
import { leaderboard, prepare } from '../ports/store-samples.ts'
import { reportUnderTest } from './report-app.testkit.ts'

function entry(modelId: string, rank: number | null, value: number | null): LeaderboardEntry {
  const windows = { recent: value, score_steady: value, anchor: null }
  return { modelId, rank, windows, metrics: { ic: 0.03 }, scoreCount: 3, coverage: rank === null ? null : 0.75 }
}

const entries = [entry('c', null, null), entry('b', 2, 0.1), entry('__ensemble_main__', 1, 0.9), entry('a', 2, 0.1)]

async function prepared() {
  const under = reportUnderTest()
  await prepare(under.store)
  await under.store.closePeriod({ snapshots: [], leaderboard: leaderboard(10, { entries }) })
  return under
}

describe('/reports/leaderboard', () => {
  it('has one flat row a model with every column of the contract, null where there are no data', async () => {
    const [first] = (await (await prepared()).get('/reports/leaderboard')).body
    const scores = { ic: 0.03, hit_rate: null, score_recent: 0.1, score_steady: 0.1, score_anchor: null }
    expect(first).toEqual({
      ...scores,
      created_at: '2026-03-01T10:10:00.000Z',
      model_id: 'a',
      model_name: 'model a',
      cruncher_id: 'c-a',
      cruncher_name: 'C a',
      username: 'C a',
      rank: 2,
      status: 'active',
      coverage: 0.75,
      score_count: 3,
      score_metrics: scores,
      score_ranking: { key: 'score_recent', value: 0.1, direction: 'desc' },
    })
  })

  it('is in order of rank, models without one last, with null names for unknown models', async () => {
    const { body } = await (await prepared()).get('/reports/leaderboard')
    expect(body.map((row) => [row.model_id, row.rank, row.status])).toEqual([
      ['a', 2, 'active'],
      ['b', 2, 'active'],
      ['c', null, 'inactive'],
    ])
    expect(body[2]).toMatchObject({ model_name: null, cruncher_name: null, score_recent: null })
  })

  it.each(['true', '1', 'True'])('shows ensembles when asked with %s', async (flag) => {
    const { body } = await (await prepared()).get(`/reports/leaderboard?include_ensembles=${flag}`)
    expect(body.map((row) => row.model_id)).toEqual(['__ensemble_main__', 'a', 'b', 'c'])
  })
})
