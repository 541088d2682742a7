import { describe, expect, test } from 'vitest'
import { type ContractChanges, resolvedContract } from '../../../test/sample-contract.ts'
import { tiers } from '../../contract/defaults/tiers.ts'
import { type PeriodScores, periodScores } from '../../contract/ranking/period-scores.ts'
import type { AggregateContext, RankContext } from '../../contract/ranking/ranking-options.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { minute, model, periodRounds, snapshot, spanOf } from '../../ports/store-samples.ts'
import { closeCheckpoint } from './close-checkpoint.ts'

const none = { sum: 0, count: 0 }
const own = (id: string, rest: Partial<Model> = {}): Model => ({
  ...model(id),
  ...{ registeredAt: minute(0), retirements: [], ...rest },
})
const models = [
  ...['a', 'b', 'c'].map((id) => own(id)),
  own('y', { name: 'flat', cruncherId: 'organizer' }),
  own('z', { cruncherId: 'organizer' }),
]

/** A snapshot of ten rounds with `validCount` answers (default: all); without a value it has no scores. */
function snapshotOf(modelId: string, value: number | null, validCount = 10): Snapshot {
  const counts = {
    dueCount: 10,
    scoreCount: value === null ? 0 : 10,
    answeredCount: validCount,
    validCount,
    excusedCount: 0,
  }
  const sums: Snapshot['sums'] = value === null ? {} : { value: { sum: value * 10, count: 10 } }
  return snapshot(modelId, 10, { ...counts, sums, unasked: none, missed: none })
}

function close(
  snapshots: readonly Snapshot[],
  changes: ContractChanges = {},
  scores: ReadonlyMap<number, PeriodScores> | null = null,
) {
  const resolved = resolvedContract({ baselines: ['flat'], ...changes })
  const payees = { crunch: null, computeProvider: null, dataProvider: null }
  const periods = [periodRounds(10, { roundCount: 10, worst: none, missing: none })]
  const counts = { snapshotCount: snapshots.length, contractVersions: { 1: 3 }, refusals: [] }
  const period = { start: minute(0), end: minute(30), ...spanOf(periods, snapshots), ...counts, scores }
  return closeCheckpoint(resolved, payees, models, period, minute(31))
}

const orderOf = (snapshots: readonly Snapshot[]) => close(snapshots).entries.map(({ modelId }) => modelId)

const paidOf = ({ entries }: ReturnType<typeof close>) =>
  entries.map(({ modelId, rank, rewardFrac64, unpaidReason }) => [
    modelId,
    rank,
    rewardFrac64 / 10_000_000,
    unpaidReason,
  ])

describe('the order of the models of a checkpoint', () => {
  test("has the organizer's models first, then the others by id, if no model has a value", () => {
    const ids = ['a', 'b', 'c', 'y', 'z']
    expect(orderOf(ids.map((id) => snapshotOf(id, null, 0)))).toEqual(['y', 'z', 'a', 'b', 'c'])
  })

  test("is by value, with the organizer's among the payable models, and unpayable ones after them", () => {
    const snapshots = [
      snapshotOf('a', 1),
      snapshotOf('b', 3),
      snapshotOf('c', 9, 0),
      snapshotOf('y', 2),
      snapshotOf('z', null, 0),
    ]
    expect(orderOf(snapshots)).toEqual(['b', 'y', 'a', 'z', 'c'])
  })
})

describe("a payout in the contract's own order", () => {
  const values = [snapshotOf('a', 1), snapshotOf('b', 3), snapshotOf('c', 2)]
  const order =
    (...places: (string | string[])[]) =>
    ({ models: given }: RankContext) =>
      places.map((place) => [place].flat().filter((id) => given.some(({ modelId }) => modelId === id)))
  const tiersOf = (floor: object = {}) => ({ checkpoint: { emission: tiers({ percentages: [60, 30, 10], ...floor }) } })

  test('pays by it, and equal ranks alike', () => {
    const leaderboard = { rank: order('a', 'b', 'c') }
    expect(paidOf(close(values, { leaderboard, ...tiersOf() }))).toEqual([
      ['a', 1, 60, null],
      ['b', 2, 30, null],
      ['c', 3, 10, null],
    ])
    expect(paidOf(close(values, { leaderboard: { rank: order(['c', 'a'], 'b') }, ...tiersOf() }))).toEqual([
      ['c', 1, 45, null],
      ['a', 1, 45, null],
      ['b', 3, 10, null],
    ])
  })

  test('leaves out by value who is not above the floor, and gives that place to the next', () => {
    const leaderboard = { rank: order('a', ['b', 'c']) }
    const snapshots = [...values, snapshotOf('y', 1.5), snapshotOf('z', 9)]
    const closed = close(snapshots, { leaderboard, ...tiersOf({ payAbove: { baseline: 'flat' } }) })
    expect(closed.floor).toBe(1.5)
    expect(paidOf(closed)).toEqual([
      ['a', 1, 0, 'not_above_floor'],
      ['b', 2, 50, null],
      ['c', 2, 50, null],
      ['z', null, 0, 'organizer'],
      ['y', null, 0, 'baseline'],
    ])
    const fixed = close(values, { leaderboard, ...tiersOf({ payAbove: { value: 2 } }) })
    expect(paidOf(fixed).map(([id, , reward]) => [id, reward])).toEqual([
      ['a', 0],
      ['b', 100],
      ['c', 0],
    ])
  })

  test('is divided by shares that add up, or not at all, with the line of the emission', () => {
    const emission = { name: 'own', shares: (ranked: readonly object[]) => ranked.map(() => 60) }
    expect(() => close(values, { checkpoint: { emission } })).toThrow(
      /^checkpoint\.emission\.shares at checkpoint\/checkpoint-order\.test\.ts:\d+ returned \[60, 60, 60\] for 3 models \(sum 180\)/,
    )
  })

  test('is asked for no model that cannot be paid', () => {
    const asked: string[] = []
    const rank = ({ models: given }: RankContext) => {
      asked.push(...given.map(({ modelId }) => modelId))
      return asked
    }
    const snapshots = [snapshotOf('a', 1), snapshotOf('b', 3, 4), snapshotOf('c', 2, 0), snapshotOf('y', 2)]
    const { checkpoint } = tiersOf()
    const closed = close(snapshots, { leaderboard: { rank }, checkpoint: { ...checkpoint, minCoverage: 0.5 } })
    expect(asked).toEqual(['a'])
    expect(paidOf(closed)).toEqual([
      ['a', 1, 100, null],
      ['y', null, 0, 'baseline'],
      ['b', null, 0, 'low_coverage'],
      ['c', null, 0, 'no_answer'],
    ])
  })
})

describe("a payout by the contract's own aggregate", () => {
  const best = ({ scores }: AggregateContext) => Math.max(...scores.map(({ value }) => value))
  const payAbove = { checkpoint: { emission: tiers({ payAbove: { baseline: 'flat' } }) } }
  const rows: readonly [string, readonly number[]][] = [
    ['a', [1, 1]],
    ['b', [0, 5]],
    ['y', [2, 2]],
  ]
  const field = { value: 'value', direction: 'desc' } as const
  const scores = new Map([
    [
      minute(10),
      periodScores(
        field,
        [0, 1].flatMap((round) =>
          rows.map(([modelId, own]) => ({
            ...{ modelId, roundId: `round-${round}`, performedAt: minute(round), resolvableAt: minute(5 + round) },
            ...{ missingValue: null, predictionStatus: 'SCORED' as const, blame: null, scoreKind: 'valid' as const },
            ...{ value: { value: own[round] ?? 0 }, signal: null, actual: null, contractVersion: 1 },
          })),
        ),
      ),
    ],
  ])
  const snapshots = rows.map(([modelId, [first = 0, second = 0]]) => snapshotOf(modelId, (first + second) / 2))

  test('ranks by it, and its baseline has that value too', () => {
    const closed = close(snapshots, { leaderboard: { aggregate: best }, ...payAbove }, scores)
    expect(closed.floor).toBe(2)
    expect(closed.entries.map(({ modelId, value, unpaidReason }) => [modelId, value, unpaidReason])).toEqual([
      ['b', 5, null],
      ['y', 2, 'baseline'],
      ['a', 1, 'not_above_floor'],
    ])
  })

  test('pays no model if the baseline has no value, and no model without a value', () => {
    const none = ({ scores: own }: AggregateContext) => (best({ scores: own, start: 0, end: 0 }) < 3 ? null : 5)
    const closed = close(snapshots, { leaderboard: { aggregate: none }, ...payAbove }, scores)
    expect(closed).toMatchObject({ floor: null, emissionReason: 'floor_unknown' })
    expect(closed.entries.map(({ modelId, unpaidReason }) => [modelId, unpaidReason])).toEqual([
      ['b', 'floor_unknown'],
      ['y', 'baseline'],
      ['a', 'no_value'],
    ])
  })
})
