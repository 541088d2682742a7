import { describe, expect, test } from 'vitest'
import { finishWork } from '../../../test/finish-work.ts'
import { resolvedContract } from '../../../test/sample-contract.ts'
import type { PeriodResult } from '../../ports/store-periods.ts'
import { minute } from '../../ports/store-samples.ts'
import { periodSnapshots } from './period-snapshots.ts'

/** A valid score of a model in the round that resolves at a minute. */
function result(modelId: string, at: number, value: number | null, rest: Partial<PeriodResult> = {}): PeriodResult {
  return {
    modelId,
    roundId: `round-${at}`,
    performedAt: minute(at),
    resolvableAt: minute(at),
    missingValue: null,
    predictionStatus: 'SCORED',
    blame: null,
    scoreKind: 'valid',
    value: value === null ? null : { value, hit: value > 0 },
    signal: value,
    actual: at,
    contractVersion: 1,
    ...rest,
  }
}

const absent = (modelId: string, at: number, blame: 'model' | 'coordinator') =>
  result(modelId, at, null, { predictionStatus: 'ABSENT', blame, scoreKind: null, signal: null, actual: null })

/** The snapshots of models that registered before all rounds, except those in `registered`. */
function snapshots(results: readonly PeriodResult[], changes = {}, registered: Readonly<Record<string, number>> = {}) {
  const ids = new Set([...results.map(({ modelId }) => modelId), ...Object.keys(registered)])
  const models = [...ids].map((id) => ({ id, registeredAt: minute(registered[id] ?? 0) }))
  return finishWork(periodSnapshots(resolvedContract(changes), models, minute(0), minute(10), results))
}

describe('periodSnapshots', () => {
  test('makes one snapshot per model with a round, ordered by id', () => {
    const made = snapshots([result('b', 1, 1), result('a', 1, 2)])
    expect(made.map(({ id, modelId }) => [id, modelId])).toEqual([
      ['SNAP_a_20260301_101000.000', 'a'],
      ['SNAP_b_20260301_101000.000', 'b'],
    ])
    expect(made[0]).toMatchObject({ periodStart: minute(0), periodEnd: minute(10) })
    expect(snapshots([])).toEqual([])
  })

  test('sums each numeric field over valid and imputed scores, excluding failed ones', () => {
    const [made] = snapshots([
      result('a', 1, 1.5),
      result('a', 2, -4, { scoreKind: 'imputed', predictionStatus: 'ABSENT', blame: 'model', signal: null }),
      result('a', 3, null, { scoreKind: 'failed' }),
    ])
    expect(made).toMatchObject({ scoreCount: 2, sums: { value: { sum: -2.5, count: 2 } } })
    expect(Object.keys(made?.sums ?? {})).toEqual(['value'])
  })

  test('counts each field separately and sorts fields by name', () => {
    const [made] = snapshots([
      result('a', 1, 0, { value: { value: 1, error: 5 } }),
      result('a', 2, 0, { value: { value: 2, error: null, hits: 1 } }),
    ])
    const [error, hits, value] = [
      '"error":{"sum":5,"count":1}',
      '"hits":{"sum":1,"count":1}',
      '"value":{"sum":3,"count":2}',
    ]
    expect(JSON.stringify(made?.sums)).toBe(`{${error},${hits},${value}}`)
  })

  test('counts the scores of each version of the contract, but not those from before versions were recorded', () => {
    const [made] = snapshots([null, 1, 2, 2].map((contractVersion, at) => result('a', at + 1, 1, { contractVersion })))
    expect(made?.contractVersions).toEqual({ 1: 1, 2: 2 })
  })

  test('counts rounds that a model had to answer as due, except those that the coordinator missed', () => {
    const [made] = snapshots([
      result('a', 1, 1),
      result('a', 2, null, { scoreKind: 'failed' }),
      absent('a', 3, 'model'),
      absent('a', 4, 'coordinator'),
    ])
    expect(made).toMatchObject({ dueCount: 3, answeredCount: 2, scoreCount: 1 })
  })

  test('counts only answers of the model itself, not imputed or failed ones', () => {
    const [made] = snapshots([
      result('a', 1, 1.5),
      result('a', 2, -4, { scoreKind: 'imputed', predictionStatus: 'ABSENT', blame: 'model' }),
      result('a', 3, null, { scoreKind: 'failed' }),
      result('b', 3, 2),
      absent('a', 4, 'coordinator'),
    ])
    expect(made).toMatchObject({ validCount: 1, excusedCount: 1 })
  })

  test('excuses a failed score only if the contract could score no answer of the round', () => {
    const failed = (modelId: string, at: number) => result(modelId, at, null, { scoreKind: 'failed' })
    const made = snapshots([failed('a', 1), result('b', 1, 2), failed('a', 2), failed('b', 2)])
    expect(made.map(({ modelId, excusedCount }) => [modelId, excusedCount])).toEqual([
      ['a', 1],
      ['b', 1],
    ])
    const [alone] = snapshots([failed('a', 1), result('b', 1, 2)])
    expect(alone).toMatchObject({ validCount: 0, excusedCount: 0 })
  })

  test('excuses no missing answer, even if the policy for missing answers failed', () => {
    const missing = { scoreKind: 'failed', predictionStatus: 'ABSENT', blame: 'model' } as const
    const [made] = snapshots([result('a', 1, null, missing)])
    expect(made).toMatchObject({ roundCount: 1, validCount: 0, excusedCount: 0 })
  })

  test.each([
    ['desc', { sum: -3, count: 2 }],
    ['asc', { sum: 11, count: 2 }],
  ])('sums the worst valid scores of rounds before the registration of a model (%s)', (direction, unasked) => {
    const imputed = result('c', 1, -9, { scoreKind: 'imputed', predictionStatus: 'ABSENT', blame: 'model' })
    const made = snapshots(
      [
        ...[result('a', 1, 5), result('b', 1, -4), imputed],
        ...[result('a', 2, 1), result('b', 2, 6)],
        ...[result('a', 3, 7), result('late', 3, 8)],
      ],
      { leaderboard: { direction } },
      { late: 3 },
    )
    expect(made.find(({ modelId }) => modelId === 'late')?.unasked).toEqual(unasked)
    expect(made.find(({ modelId }) => modelId === 'late')?.missed).toEqual({ sum: 0, count: 0 })
    expect(made.find(({ modelId }) => modelId === 'a')?.unasked).toEqual({ sum: 0, count: 0 })
  })

  test('sums the scores of a missing answer in rounds since registration without a row of the model', () => {
    const made = snapshots(
      [1, 2, 3, 4, 5].map((at) => result('a', at, 5, { missingValue: at === 4 ? null : -at })),
      {},
      { out: 2, a: 0, later: 9, first: 1 },
    )
    expect(made.map(({ modelId }) => modelId)).toEqual(['a', 'out'])
    expect(made[1]).toMatchObject({
      ...{ scoreCount: 0, dueCount: 0, excusedCount: 0, validCount: 0, roundCount: 5 },
      ...{ unasked: { sum: 5, count: 1 }, missed: { sum: -10, count: 3 } },
    })
    const rowsOf = (at: number) => [result('a', at, 5, { missingValue: -at }), result('out', at, 6)]
    const [, out] = snapshots([...rowsOf(1), ...rowsOf(2).slice(0, 1), ...rowsOf(3)])
    expect(out).toMatchObject({ scoreCount: 2, unasked: { count: 0 }, missed: { sum: -2, count: 1 } })
  })

  test('has no sums and no metrics for a model without a score', () => {
    const [made] = snapshots([absent('a', 1, 'coordinator')])
    expect(made).toMatchObject({ dueCount: 0, answeredCount: 0, scoreCount: 0, sums: {} })
    expect(made?.metrics).toEqual({ ic: null, hit_rate: null })
  })

  test('computes the metrics of the contract from valid scores, against the other models', () => {
    const metrics = { snapshot: { metrics: ['ic', 'max_drawdown', 'model_correlation'] } }
    const imputed = { scoreKind: 'imputed', predictionStatus: 'ABSENT', blame: 'model' } as const
    const made = snapshots(
      [
        ...[1, 2, 3].map((at) => result('a', at, at)),
        result('a', 4, -9, imputed),
        ...[1, 2, 3].map((at) => result('b', at, -at)),
      ],
      metrics,
    )
    expect(made.map((snapshot) => snapshot.metrics)).toEqual([
      { ic: 1, max_drawdown: 0, model_correlation: -1 },
      { ic: -1, max_drawdown: -6, model_correlation: -1 },
    ])
  })

  test('has no metrics when the contract names none, and skips scores whose ranking value is not a number', () => {
    expect(snapshots([result('a', 1, 1)], { snapshot: { metrics: undefined } })[0]?.metrics).toEqual({})
    const odd = result('a', 1, 1, { value: { value: 'high' } })
    expect(snapshots([odd], { snapshot: { metrics: ['max_drawdown'] } })[0]?.metrics).toEqual({ max_drawdown: null })
  })
})
