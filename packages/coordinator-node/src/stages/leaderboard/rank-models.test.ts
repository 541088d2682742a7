import { describe, expect, test } from 'vitest'
import { resolvedContract } from '../../../test/sample-contract.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { minute, model, snapshot } from '../../ports/store-samples.ts'
import { rankModels } from './rank-models.ts'

// Windows of the sample contract: recent 20 minutes (the ranking one), long 60 minutes.
const models = (...ids: string[]) => ids.map((id) => ({ ...model(id), registeredAt: minute(0), retirements: [] }))
const worth = (modelId: string, endMinute: number, sum: number, count: number, rest: Partial<Snapshot> = {}) =>
  snapshot(modelId, endMinute, { sums: { value: { sum, count } }, ...rest })

function rank(ids: readonly string[], snapshots: readonly Snapshot[], changes = {}) {
  return rankModels(resolvedContract(changes), models(...ids), snapshots, minute(60))
}

describe('rankModels', () => {
  test('takes the snapshots that lie wholly in a window', () => {
    const [entry] = rank(['a'], [worth('a', 40, 100, 1), worth('a', 50, 10, 1), worth('a', 60, 2, 1)]).entries
    // From minute 40 on: the snapshot that ends at 40 is outside the recent window, the one that starts there inside.
    expect(entry?.windows).toEqual({ recent: 6, long: 112 / 3 })
  })

  test('leaves out what is older than the longest window', () => {
    const [entry] = rank(['a'], [worth('a', 0, 100, 1), worth('a', 10, 2, 1)]).entries
    expect(entry?.windows).toEqual({ recent: null, long: 2 })
    expect(entry).toMatchObject({ rank: null, scoreCount: 0, coverage: null })
  })

  test('is the mean over scores, weighted by count', () => {
    const [entry] = rank(['a'], [worth('a', 50, 10, 1), worth('a', 60, 9, 9)]).entries
    expect(entry?.windows.recent).toBe(1.9)
    expect(entry?.scoreCount).toBe(10)
  })

  test('ranks by the ranking window alone, equal values alike, models without a value last', () => {
    const snapshots = [worth('d', 20, 900, 1), worth('a', 60, 1, 1), worth('b', 60, 4, 2), worth('c', 60, 2, 1)]
    const { entries } = rank(['a', 'b', 'c', 'd', 'e'], snapshots)
    expect(entries.map((entry) => [entry.modelId, entry.rank])).toEqual([
      ['b', 1],
      ['c', 1],
      ['a', 3],
      ['d', null],
      ['e', null],
    ])
  })

  test('ranks the lowest first where lower is better', () => {
    const { entries } = rank(['a', 'b'], [worth('a', 60, 3, 1), worth('b', 60, 2, 1)], {
      leaderboard: { direction: 'asc' },
    })
    expect(entries.map((entry) => entry.modelId)).toEqual(['b', 'a'])
  })

  test('tells coverage over the ranking window and the metrics of the newest snapshot', () => {
    const snapshots = [
      worth('a', 30, 1, 1, { dueCount: 100, answeredCount: 0, metrics: { ic: 0.1 } }),
      worth('a', 50, 1, 1, { dueCount: 4, answeredCount: 3, metrics: { ic: 0.2 } }),
      worth('a', 60, 1, 1, { dueCount: 6, answeredCount: 6, metrics: { ic: 0.3 } }),
    ]
    expect(rank(['a'], snapshots).entries[0]).toMatchObject({ coverage: 0.9, metrics: { ic: 0.3 } })
    expect(rank(['b'], snapshots).entries[0]).toMatchObject({ coverage: null, metrics: {} })
  })

  test('leaves out models that registered at its end or later, and snapshots of models unknown to it', () => {
    const late = [
      { ...model('a'), registeredAt: minute(60) - 1, retirements: [] },
      { ...model('b'), registeredAt: minute(60), retirements: [] },
      { ...model('c'), registeredAt: minute(61), retirements: [] },
    ]
    const board = rankModels(resolvedContract(), late, [worth('x', 60, 1, 1)], minute(60))
    expect(board.entries.map((entry) => entry.modelId)).toEqual(['a'])
  })

  test('says what it ranks by and when', () => {
    expect(rank([], [])).toEqual({
      id: 'LBR_20260301_110000.000',
      asOf: minute(60),
      rankBy: 'recent',
      direction: 'desc',
      entries: [],
    })
  })
})
