import { describe, expect, it } from 'vitest'
import type { LeaderboardEntry } from '../../../domain/leaderboard.ts'
import { leaderboard, periodRounds, prepare } from '../../../ports/store-samples.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'

function entry(modelId: string, rank: number | null, value: number | null): LeaderboardEntry {
  const windows = { recent: value, score_steady: value, anchor: null }
  const unrankedReason = rank === null ? 'no_data' : null
  const counts = { scoreCount: 3, validCount: 3, roundCount: 4, coverage: rank === null ? null : 0.75 }
  return { modelId, rank, unrankedReason, windows, metrics: { ic: 0.03 }, ...counts }
}

const entries = [entry('__ensemble_main__', 1, 0.9), entry('a', 2, 0.1), entry('b', 2, 0.1), entry('c', null, null)]

async function prepared() {
  const under = reportUnderTest()
  await prepare(under.store)
  await under.store.closePeriod({ snapshots: [], rounds: periodRounds(10), leaderboard: leaderboard(10, { entries }) })
  return under
}

describe('/reports/leaderboard', () => {
  it('has one flat row per model with all columns of the contract in order, null without data', async () => {
    const [first] = (await (await prepared()).get('/reports/leaderboard')).body
    const scores = { ic: 0.03, hit_rate: null, score_recent: 0.1, score_steady: 0.1, score_anchor: null }
    expect(first).toEqual({
      ...scores,
      era: 1,
      created_at: '2026-03-01T10:10:00.000Z',
      model_id: 'a',
      model_name: 'model a',
      cruncher_id: 'c-a',
      cruncher_name: 'C a',
      username: 'C a',
      rank: 2,
      unranked_reason: null,
      role: 'participant',
      status: 'active',
      coverage: 0.75,
      score_count: 3,
      answered_count: 3,
      round_count: 4,
      score_metrics: scores,
      score_columns: ['score_recent', 'score_steady', 'score_anchor', 'ic', 'hit_rate'],
      score_ranking: {
        key: 'score_recent',
        value: 0.1,
        direction: 'desc',
        newcomers: 'wait',
        min_coverage: 0.8,
        own_order: false,
      },
    })
  })

  it('returns the board of an instant, even if later periods have closed', async () => {
    const under = await prepared()
    await under.store.closePeriod({ snapshots: [], rounds: periodRounds(20), leaderboard: leaderboard(20) })
    const asOf = async (until: string) =>
      (await under.get(`/reports/leaderboard?until=${until}`)).body.map(({ created_at }) => created_at)[0]
    expect(await asOf('2026-03-01T10:09:59Z')).toBeUndefined()
    expect(await asOf('2026-03-01T10:10:00Z')).toBe('2026-03-01T10:10:00.000Z')
    expect(await asOf('2026-03-01T10:19:59Z')).toBe('2026-03-01T10:10:00.000Z')
    expect(await asOf('2026-03-01T10:20:00Z')).toBe('2026-03-01T10:20:00.000Z')
    expect((await under.get('/reports/leaderboard?until=soon')).status).toBe(422)
  })

  it('shows why a model has no rank, and the baselines, in the order of the board', async () => {
    const { store, get } = reportUnderTest()
    await prepare(store, ['a', 'b', 'flat'])
    const counts = { rank: null, validCount: 17, roundCount: 1560, coverage: 17 / 1560 }
    const board = [
      { ...entry('flat', null, 0.5), ...counts, unrankedReason: 'baseline' },
      entry('a', 1, 0.1),
      { ...entry('b', null, 0.9), ...counts, unrankedReason: 'waiting' },
    ] as const
    await store.closePeriod({
      rounds: periodRounds(10),
      snapshots: [],
      leaderboard: leaderboard(10, { entries: board }),
    })
    const { body } = await get('/reports/leaderboard')
    expect(body).toMatchObject([
      { model_id: 'flat', rank: null, unranked_reason: 'baseline', role: 'baseline' },
      { model_id: 'a', rank: 1, unranked_reason: null, role: 'participant' },
      { model_id: 'b', unranked_reason: 'waiting', answered_count: 17, round_count: 1560, coverage: 17 / 1560 },
    ])
  })

  it('is ordered by rank, models without a rank last, with null names for unknown models', async () => {
    const { body } = await (await prepared()).get('/reports/leaderboard')
    expect(body.map((row) => [row.model_id, row.rank, row.status])).toEqual([
      ['a', 2, 'active'],
      ['b', 2, 'active'],
      ['c', null, 'inactive'],
    ])
    expect(body[2]).toMatchObject({ model_name: null, cruncher_name: null, score_recent: null })
  })

  it.each(['true', '1', 'True'])('includes ensembles with the parameter %s', async (flag) => {
    const { body } = await (await prepared()).get(`/reports/leaderboard?include_ensembles=${flag}`)
    expect(body.map((row) => row.model_id)).toEqual(['__ensemble_main__', 'a', 'b', 'c'])
  })
})
