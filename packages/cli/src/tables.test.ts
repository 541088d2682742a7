import { describe, expect, test } from 'vitest'
import type { CheckpointRow, LeaderboardRow } from './report-api/report-client.ts'
import { explainValues, formatCheckpoint, formatLeaderboard, isWholeEmission } from './tables.ts'

const cells = (text: string, row: string) =>
  text
    .split('\n')
    .find((line) => line.includes(row))
    ?.split('│')
    .map((cell) => cell.trim())
    .filter((cell) => cell !== '')

describe('formatLeaderboard', () => {
  const row = (model: string, rest: Partial<LeaderboardRow>): LeaderboardRow => ({
    model_id: model,
    model_name: model,
    cruncher_name: 'ann',
    rank: null,
    created_at: '2026-03-01T10:00:00.000Z',
    score_metrics: { score_recent: 0.5 },
    score_columns: ['score_recent'],
    ...rest,
  })

  test('shows the number of scores and rounds behind every value, and why a model has no rank', () => {
    const counts = { score_count: 120, answered_count: 90, round_count: 120, coverage: 0.75 }
    const late = { score_count: 17, answered_count: 17, round_count: 1560, coverage: 17 / 1560 }
    const text = formatLeaderboard([
      row('first', { rank: 1, ...counts }),
      row('flat', { unranked_reason: 'baseline', role: 'baseline', ...counts }),
      row('late', { unranked_reason: 'waiting', ...late }),
      row('idle', { unranked_reason: 'low_coverage', ...late }),
      row('odd', { unranked_reason: null }),
    ])
    expect(cells(text, 'rank')).toEqual(['rank', 'model', 'cruncher', 'score_recent', 'scores', 'answered', 'coverage'])
    expect(cells(text, 'first')).toEqual(['1', 'first', 'ann', '0.5', '120', '90 of 120', '75.0 %'])
    expect(cells(text, 'flat')?.[0]).toBe('baseline')
    expect(cells(text, 'late')).toEqual(['waiting', 'late', 'ann', '0.5', '17', '17 of 1560', '1.1 %'])
    expect(cells(text, 'idle')?.[0]).toBe('low coverage')
    expect(cells(text, 'odd')?.[0]).toBe('-')
  })

  test('shows the columns in the order of the contract, and marks the ranking column and its direction', () => {
    const board = (key: string, direction: string) => [
      row('first', {
        score_metrics: { ic: null, score_anchor: 0.25, score_recent: 0.5 },
        score_columns: ['score_recent', 'score_anchor', 'ic'],
        score_ranking: { key, value: 0.25, direction },
      }),
    ]
    const head = (key: string, direction: string) =>
      cells(formatLeaderboard(board(key, direction)), 'rank')?.slice(3, 6)
    expect(head('score_anchor', 'asc')).toEqual(['score_recent', 'score_anchor (lowest first)', 'ic'])
    expect(head('score_recent', 'desc')).toEqual(['score_recent (highest first)', 'score_anchor', 'ic'])
    const ranking = { key: 'score_recent', value: 1, direction: 'desc', own_order: true }
    const own = formatLeaderboard([row('first', { score_ranking: ranking })])
    expect(cells(own, 'rank')?.slice(0, 4)).toEqual([
      "rank (the contract's own order)",
      ...['model', 'cruncher', 'score_recent'],
    ])
  })

  test('explains why its values differ from those of a checkpoint when both are shown', () => {
    expect(explainValues([row('first', {})], 1)).toEqual([expect.stringContaining('end at 2026-03-01T10:00:00.000Z;')])
    expect([explainValues([row('first', {})], 0), explainValues([], 1)]).toEqual([[], []])
  })

  test('shows the era if there are several, and the era of an older board', () => {
    const since = (number: number) => ({ era: { number, began_at: '2026-03-01T10:00:00.000Z' } })
    const head = (era: number, current: number) =>
      formatLeaderboard([row('first', { era })], since(current)).split('\n')[0]
    expect(head(1, 1)).not.toContain('ra 1')
    expect(head(2, 2)).toBe('Era 2, since 2026-03-01T10:00:00.000Z.')
    expect(head(1, 2)).toBe(
      'Era 2, since 2026-03-01T10:00:00.000Z. No period of it has closed yet: this is the last board of era 1.',
    )
    // A board without information about the node, and a node of an earlier version.
    expect(formatLeaderboard([row('first', { era: 3 })])).toMatch(/^Era 3\.\n/)
    expect(formatLeaderboard([row('first', {})])).not.toContain('Era')
    expect(formatLeaderboard([], since(2))).toContain('Era 2')
  })
})

describe('formatCheckpoint', () => {
  const ranked = (model: string, reward: number, unpaid: string | null) => ({
    ...{ model_id: model, model_name: model, rank: null, value: 1, reward_pct: reward, unpaid_reason: unpaid },
    ...{ prediction_count: 3, answered_count: 3, round_count: 4, coverage: 0.75 },
  })
  const checkpoint = (reward: number, reason: string | null): CheckpointRow => ({
    id: 'CKP_1',
    period_start: '2026-03-01T10:00:00.000Z',
    period_end: '2026-03-01T11:00:00.000Z',
    status: 'PENDING',
    entries: [{ cruncher_rewards: reward === 0 ? [] : [{ cruncher_index: null, reward_pct: reward }] }],
    meta: {
      floor: 0.25,
      emission_reason: reason,
      ranking: [ranked('winner', reward, null), ranked('flat', 0, 'baseline'), ranked('low', 0, 'not_above_floor')],
    },
  })

  test('shows the floor, and why each model is not paid', () => {
    const text = formatCheckpoint(checkpoint(1_000_000_000, null))
    expect(cells(text, 'winner')).toEqual(['-', 'winner', '1', '3', '3 of 4', '75.0 %', '100.00 %', '1000000000'])
    expect(cells(text, 'flat')?.at(-1)).toBe('baseline')
    expect(cells(text, 'low')?.at(-1)).toBe('not above floor')
    expect(text).toContain('Models with a value better than 0.25 are paid.')
    expect(text).toContain('Emission: 1000000000 of 1000000000 (exact)')
  })

  test.each([
    ['nobody_above_floor', 'no model is better'],
    ['floor_unknown', 'the baseline of the floor has no value'],
    ['no_payable_model', 'no model has answered enough'],
  ])('accepts an empty emission with the reason %s', (reason, words) => {
    expect(formatCheckpoint(checkpoint(0, reason))).toContain(`Emission: empty, since ${words}`)
    expect(isWholeEmission(checkpoint(0, reason))).toBe(true)
  })

  test.each([
    [0, null],
    [1, null],
    [999_999_999, 'nobody_above_floor'],
  ])('flags a sum of %d with the reason %s as wrong', (sum, reason) => {
    expect(formatCheckpoint(checkpoint(sum, reason))).toContain('WRONG')
    expect(isWholeEmission(checkpoint(sum, reason))).toBe(false)
  })
})
