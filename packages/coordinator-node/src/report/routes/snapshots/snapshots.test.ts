import { describe, expect, it } from 'vitest'
import { leaderboard, periodRounds, prepare, snapshot } from '../../../ports/store-samples.ts'
import { reportUnderTest } from '../../report-app.testkit.ts'

async function prepared() {
  const under = reportUnderTest()
  await prepare(under.store)
  for (const end of [10, 20, 30]) {
    const empty = snapshot('b', end, {
      sums: { value: { sum: 0, count: 0 } },
      scoreCount: 0,
      dueCount: 0,
      validCount: 0,
      roundCount: 5,
      excusedCount: 5,
      answeredCount: 0,
    })
    await under.store.closePeriod({
      snapshots: [snapshot('a', end), empty],
      rounds: periodRounds(end),
      leaderboard: leaderboard(end),
    })
  }
  return under
}

describe('/reports/snapshots', () => {
  it('has flat and nested numbers, naive times, and every field of the contract', async () => {
    const [first] = (await (await prepared()).get('/reports/snapshots?model_id=a')).body
    const summary = { ic: null, hit_rate: 2 / 3, value: (0.1 + 0.2) / 3, error: null }
    expect(first).toEqual({
      ...summary,
      id: 'SNAP_a_20260301_101000.000',
      model_id: 'a',
      period_start: '2026-03-01T10:00:00.000',
      period_end: '2026-03-01T10:10:00.000',
      performed_at: '2026-03-01T10:10:00.000',
      created_at: '2026-03-01T10:10:00.000',
      prediction_count: 3,
      due_count: 4,
      answered_count: 3,
      round_count: 4,
      coverage: 0.75,
      result_summary: summary,
    })
  })

  it('has null, not 0, for a period without data', async () => {
    const [first] = (await (await prepared()).get('/reports/snapshots?model_id=b')).body
    expect(first).toMatchObject({ value: null, coverage: null, prediction_count: 0 })
  })

  it.each([
    ['', ['10:10', '10:10', '10:20', '10:20', '10:30', '10:30']],
    ['projectIds=a&limit=2', ['10:20', '10:30']],
    ['projectIds=a&since=2026-03-01T10:20:00Z', ['10:20', '10:30']],
    ['projectIds=a&until=2026-03-01T10:20:00Z', ['10:10', '10:20']],
    ['projectIds=a&start=2026-03-01T10:15:00Z&end=2026-03-01T10:25:00Z', ['10:20']],
    ['projectIds=nobody', []],
  ])('returns the newest of %s, oldest first', async (query, ends) => {
    const { body } = await (await prepared()).get(`/reports/snapshots?${query}`)
    expect(body.map((row) => String(row.period_end).slice(11, 16))).toEqual(ends)
  })
})
