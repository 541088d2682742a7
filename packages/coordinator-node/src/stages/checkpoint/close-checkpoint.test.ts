import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ContractChanges, resolvedContract } from '../../../test/sample-contract.ts'
import { tiers } from '../../contract/defaults/tiers.ts'
import { fullRewardFrac64 } from '../../domain/checkpoint.ts'
import type { Model } from '../../domain/models/model.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { minute, model, periodRounds, snapshot, spanOf } from '../../ports/store-samples.ts'
import { closeCheckpoint } from './close-checkpoint.ts'

const payees = { crunch: 'my-crunch', computeProvider: null, dataProvider: 'data' }

interface Case {
  readonly changes?: ContractChanges
  readonly models?: readonly Model[]
  /** Rounds of each of the three periods. */
  readonly roundCount?: number
}

function close(snapshots: readonly Snapshot[], { changes = {}, models, roundCount = 10 }: Case = {}) {
  const ids = [...new Set(snapshots.map(({ modelId }) => modelId))].sort()
  const known = models ?? ids.map((id) => participant(id))
  const periods = [10, 20, 30].map((end) =>
    periodRounds(end, { roundCount, worst: { sum: -roundCount, count: roundCount }, missing: { sum: 0, count: 0 } }),
  )
  const counts = { snapshotCount: snapshots.length, contractVersions: { 1: 3 }, refusals: [] }
  const period = { start: minute(0), end: minute(30), ...spanOf(periods, snapshots), ...counts, scores: null }
  return closeCheckpoint(resolvedContract(changes), payees, known, period, minute(31))
}

const participant = (id: string, rest: Partial<Model> = {}): Model => ({
  ...model(id),
  registeredAt: minute(0),
  retirements: [],
  ...rest,
})
const organizers = (id: string, name = id) => participant(id, { name, cruncherId: 'organizer' })

/** A snapshot of a model that answered each of `count` rounds. */
function worth(modelId: string, endMinute: number, sum: number, count: number, rest: Partial<Snapshot> = {}): Snapshot {
  const counts = { scoreCount: count, dueCount: count, answeredCount: count, validCount: count, excusedCount: 0 }
  return snapshot(modelId, endMinute, {
    sums: { value: { sum, count }, other: { sum: 99, count: 1 } },
    missed: { sum: 0, count: 0 },
    ...counts,
    ...rest,
  })
}

/** A model that answered nothing and got the worst score of every round. */
const imputed = (modelId: string, value: number) =>
  worth(modelId, 10, value * 10, 10, { answeredCount: 0, validCount: 0 })

const paidOf = ({ entries }: ReturnType<typeof close>) =>
  entries.map(({ modelId, rank, rewardFrac64, unpaidReason }) => [modelId, rank, rewardFrac64, unpaidReason])
const sumOf = ({ entries }: ReturnType<typeof close>) => entries.reduce((sum, entry) => sum + entry.rewardFrac64, 0)

describe('closeCheckpoint', () => {
  test('ranks by the mean over all scores of the period, not by a mean of means', () => {
    // Mean of means: a 5.5, b 4.6. Over all scores: a 1.9, b 4.6.
    const { entries } = close([
      worth('a', 10, 10, 1),
      worth('b', 10, 23, 5),
      worth('a', 20, 9, 9),
      worth('b', 20, 23, 5),
    ])
    expect(entries.map(({ modelId, rank, value, scoreCount }) => [modelId, rank, value, scoreCount])).toEqual([
      ['b', 1, 4.6, 10],
      ['a', 2, 1.9, 10],
    ])
    expect(entries.map((entry) => entry.rewardFrac64)).toEqual([625_000_000, 375_000_000])
  })

  test('keeps extreme scores finite, so that they are ranked last, not first', () => {
    const absurd = worth('absurd', 10, Number.MAX_VALUE, 1)
    const changes = { leaderboard: { direction: 'asc' } }
    const { entries } = close([absurd, worth('honest', 10, 5, 1), { ...absurd, periodEnd: minute(20) }], { changes })
    expect(entries.map(({ modelId, value }) => [modelId, Number.isFinite(value)])).toEqual([
      ['honest', true],
      ['absurd', true],
    ])
  })

  test('sums due, answered and scored rounds', () => {
    const [entry] = close([worth('a', 10, 3, 3), worth('a', 20, 1, 1, { dueCount: 10, answeredCount: 2 })]).entries
    expect(entry).toMatchObject({ dueCount: 13, answeredCount: 5, validCount: 4, cruncherIndex: null })
  })

  test('pays equal values equally and leaves models without a value unpaid, last', () => {
    const none = worth('0-none', 10, 0, 0, { sums: {}, dueCount: 1 })
    const closed = close([none, worth('b', 10, 4, 2), worth('a', 10, 2, 1), worth('c', 10, 1, 1)])
    expect(paidOf(closed)).toEqual([
      ['a', 1, 375_000_000, null],
      ['b', 1, 375_000_000, null],
      ['c', 3, 250_000_000, null],
      ['0-none', null, 0, 'no_answer'],
    ])
    expect(closed.entries[3]).toMatchObject({ value: null, scoreCount: 0 })
  })

  test('ranks the lowest first if lower is better', () => {
    const changes = { leaderboard: { direction: 'asc' } }
    const { entries } = close([worth('a', 10, 3, 1), worth('b', 10, 2, 1)], { changes })
    expect(entries.map(({ modelId }) => modelId)).toEqual(['b', 'a'])
  })

  test('is pending, and contains its period and the payees', () => {
    expect(close([worth('a', 10, 1, 1)])).toMatchObject({
      id: 'CKP_20260301_103000.000',
      periodStart: minute(0),
      periodEnd: minute(30),
      createdAt: minute(31),
      status: 'PENDING',
      snapshotCount: 1,
      floor: null,
      emissionReason: null,
      ...payees,
      transactionId: null,
      submittedAt: null,
    })
  })

  test('pays no model in a period without snapshots, with the reason', () => {
    expect(close([])).toMatchObject({ entries: [], emissionReason: 'no_payable_model' })
  })

  test('gives no_share as the reason for a model after the last tier', () => {
    const changes = { checkpoint: { emission: tiers([100]) } }
    expect(paidOf(close([worth('a', 10, 2, 1), worth('b', 10, 1, 1)], { changes }))).toEqual([
      ['a', 1, fullRewardFrac64, null],
      ['b', 2, 0, 'no_share'],
    ])
  })
})

describe('without answers', () => {
  test('three models with 0 of 120 answers are paid nothing, unlike ten working ones', () => {
    const working = Array.from({ length: 10 }, (_, index) => worth(`m${index}`, 10, 100 - index, 10))
    const idle = ['x', 'y', 'z'].map((id) => imputed(id, -1))
    const closed = close([...working, ...idle])
    expect(paidOf(closed).slice(10)).toEqual(['x', 'y', 'z'].map((id) => [id, null, 0, 'no_answer']))
    expect(sumOf(closed)).toBe(fullRewardFrac64)
  })

  test('nothing is paid, even if the scores of missing answers are the best', () => {
    const closed = close([imputed('idle', 99), worth('a', 10, -5, 5)])
    expect(paidOf(closed)).toEqual([
      ['a', 1, fullRewardFrac64, null],
      ['idle', null, 0, 'no_answer'],
    ])
    expect(close([imputed('idle', 99)])).toMatchObject({
      emissionReason: 'no_payable_model',
      entries: [{ rewardFrac64: 0, unpaidReason: 'no_answer' }],
    })
  })

  test('an unscorable answer does not count', () => {
    const failed = worth('a', 10, 0, 0, { dueCount: 5, answeredCount: 5, sums: {} })
    expect(paidOf(close([failed]))).toEqual([['a', null, 0, 'no_answer']])
  })
})

describe('a removed model', () => {
  const removed = (from: number, until: number | null = null) =>
    participant('gone', {
      retirements: [{ from: minute(from), until: until === null ? null : minute(until), reason: 'removed' }],
    })
  const snapshots = [worth('gone', 10, 90, 10), worth('a', 10, 10, 10)]

  test('is paid nothing for the period in which it was removed, and does not affect other ranks', () => {
    expect(paidOf(close(snapshots, { models: [participant('a'), removed(30)] }))).toEqual([
      ['a', 1, fullRewardFrac64, null],
      ['gone', null, 0, 'retired'],
    ])
  })

  test.each([
    ['that returned before the end', removed(12, 30)],
    ['that was removed after the end, even if the checkpoint closes later', removed(30.001)],
  ])('%s is paid like any other', (_, model) => {
    const [first] = close(snapshots, { models: [participant('a'), model] }).entries
    expect(first).toMatchObject({ modelId: 'gone', rank: 1, unpaidReason: null })
  })
})

describe('minCoverage', () => {
  const half = { checkpoint: { minCoverage: 0.5 } }

  test('is a share of all rounds of the period, including those before a model registered', () => {
    // 14 of 30 rounds, all since its registration; half would be 15.
    const late = [worth('late', 20, 4, 4), worth('late', 30, 10, 10)]
    const all = [10, 20, 30].map((end) => worth('all', end, -10, 10))
    expect(paidOf(close([...late, ...all], { changes: half }))).toEqual([
      ['all', 1, fullRewardFrac64, null],
      ['late', null, 0, 'low_coverage'],
    ])
    const enough = close([worth('late', 20, 5, 5), worth('late', 30, 10, 10), ...all], { changes: half })
    expect(paidOf(enough).map(([id, rank]) => [id, rank])).toEqual([
      ['late', 1],
      ['all', 2],
    ])
    expect(enough.entries[0]).toMatchObject({ validCount: 15, roundCount: 30, coverage: 0.5 })
  })

  test('ignores rounds that the coordinator missed', () => {
    const excused = [worth('a', 10, 5, 5, { excusedCount: 10 }), worth('a', 20, 5, 5, { excusedCount: 10 })]
    expect(close(excused, { changes: half }).entries[0]).toMatchObject({ rank: 1, roundCount: 10, coverage: 1 })
  })

  test('is not reached by scores of missing answers', () => {
    const mostly = worth('a', 10, 30, 30, { answeredCount: 14, validCount: 14 })
    expect(paidOf(close([mostly], { changes: half }))).toEqual([['a', null, 0, 'low_coverage']])
  })

  test('of 0 is reached by a model with a single answer', () => {
    expect(paidOf(close([worth('a', 10, 1, 1)]))).toEqual([['a', 1, fullRewardFrac64, null]])
  })
})

describe('the floor', () => {
  const beat = (payAbove: object, rest: object = {}) => ({
    baselines: ['flat'],
    checkpoint: { emission: { ...tiers(), payAbove } },
    ...rest,
  })
  const flat = { baseline: 'flat' }
  const models = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => participant(id))
  const values = (list: Readonly<Record<string, number>>) =>
    Object.entries(list).map(([id, value]) => worth(id, 10, value * 30, 30))
  const known = [...models, organizers('base', 'Flat')]

  test('excludes the baseline and models that are not better from pay', () => {
    const snapshots = values({ a: 3, b: 2, base: 1, c: 1, d: 0.5 })
    const closed = close(snapshots, { changes: beat(flat), models: known })
    expect(paidOf(closed)).toEqual([
      ['a', 1, 625_000_000, null],
      ['b', 2, 375_000_000, null],
      ['base', null, 0, 'baseline'],
      ['c', 3, 0, 'not_above_floor'],
      ['d', 4, 0, 'not_above_floor'],
    ])
    expect(closed).toMatchObject({ floor: 1, emissionReason: null })
  })

  test('can be a number, which a paid model must exceed', () => {
    const closed = close(values({ a: 0.001, b: 0, c: -1 }), { changes: beat({ value: 0 }) })
    expect(paidOf(closed)).toEqual([
      ['a', 1, fullRewardFrac64, null],
      ['b', 2, 0, 'not_above_floor'],
      ['c', 3, 0, 'not_above_floor'],
    ])
  })

  test('is an upper bound if lower is better', () => {
    const changes = beat(flat, { leaderboard: { direction: 'asc' } })
    const closed = close(values({ a: 3, b: 2, base: 2, c: 1 }), { changes, models: known })
    expect(paidOf(closed).map(([id, rank, reward]) => [id, rank, reward])).toEqual([
      ['c', 1, fullRewardFrac64],
      ['b', 2, 0],
      ['base', null, 0],
      ['a', 3, 0],
    ])
  })

  test('leaves the emission empty, with a reason, if no model is better', () => {
    const closed = close(values({ base: 5, a: 5, b: 4 }), { changes: beat(flat), models: known })
    expect(closed).toMatchObject({ floor: 5, emissionReason: 'nobody_above_floor' })
    expect(sumOf(closed)).toBe(0)
  })

  test.each([
    ['did not run', []],
    ['answered too little', [worth('base', 10, -9, 14)]],
    ['never answered', [imputed('base', -9)]],
  ])('is unknown, and no model is paid, if the baseline %s', (_, ofBaseline) => {
    const changes = beat(flat, { checkpoint: { minCoverage: 0.5, emission: { ...tiers(), payAbove: flat } } })
    const closed = close([...values({ a: 3 }), ...ofBaseline], { changes, models: known })
    expect(closed).toMatchObject({ floor: null, emissionReason: 'floor_unknown' })
    expect(closed.entries.find(({ modelId }) => modelId === 'a')).toMatchObject({
      rank: 1,
      rewardFrac64: 0,
      unpaidReason: 'floor_unknown',
    })
    expect(sumOf(closed)).toBe(0)
  })

  test("is not set by a model of that name unless it is the organizer's", () => {
    const impostor = participant('fake', { name: 'flat' })
    const snapshots = values({ a: 1, base: 2, fake: -9 })
    const closed = close(snapshots, { changes: beat(flat), models: [...known, impostor] })
    expect(closed).toMatchObject({ floor: 2, emissionReason: 'nobody_above_floor' })
    const without = close(values({ a: 1, fake: -9 }), { changes: beat(flat), models: [...models, impostor] })
    expect(without.emissionReason).toBe('floor_unknown')
  })

  test('is the best of several baselines with the same name', () => {
    const several = [...known, organizers('base2', 'flat'), organizers('base3', 'flat')]
    const snapshots = values({ a: 3, b: 2, base: 1, base2: 2, base3: 0 })
    const closed = close(snapshots, { changes: beat(flat), models: several })
    expect(closed.floor).toBe(2)
    expect(paidOf(closed).filter(([, , reward]) => reward !== 0)).toEqual([['a', 1, fullRewardFrac64, null]])
  })

  test('never pays a model of the organizer, even if it is the best', () => {
    const closed = close(values({ star: 9, a: 1 }), { models: [participant('a'), organizers('star')] })
    expect(paidOf(closed)).toEqual([
      ['star', null, 0, 'organizer'],
      ['a', 1, fullRewardFrac64, null],
    ])
  })

  test("is applied before the author's strategy, which sees only payable models", () => {
    const seen: string[][] = []
    const emission = {
      name: 'all to all',
      payAbove: { value: 0 },
      shares(ranked: readonly { modelId: string }[]) {
        seen.push(ranked.map(({ modelId }) => modelId))
        return ranked.map(() => 100 / ranked.length)
      },
    }
    const changes = { checkpoint: { minCoverage: 0.5, emission } }
    const snapshots = [...values({ a: 2, b: 1, c: 0 }), imputed('d', 9), worth('e', 10, 9, 9)]
    const closed = close(snapshots, { changes, models: [...models, organizers('star')] })
    expect(seen).toEqual([['a', 'b']])
    expect(sumOf(closed)).toBe(fullRewardFrac64)
    close([imputed('d', 9)], { changes, models })
    expect(seen).toHaveLength(1)
  })
})

test('shares that do not divide a payout are refused, as what the contract returned', () => {
  const emission = { name: 'own', shares: () => [100] }
  expect(() => close([worth('a', 10, 1, 1), worth('b', 10, 2, 1)], { changes: { checkpoint: { emission } } })).toThrow(
    /^checkpoint\.emission\.shares returned \[100\] for 2 models \(sum 100\), which must be one share for each model$/,
  )
})

describe('any checkpoint', () => {
  const entrant = fc.record({
    value: fc.integer({ min: -3, max: 3 }),
    validCount: fc.integer({ min: 0, max: 30 }),
    owner: fc.constantFrom('organizer', 'one', 'other'),
    isFlat: fc.boolean(),
  })
  const floors = fc.constantFrom(undefined, { baseline: 'flat' }, { value: 0 }, { value: -1.5 })
  const directions = fc.constantFrom('asc' as const, 'desc' as const)

  test('pays 100 % to payable models above the floor, or nothing with a reason; unpaid models have reasons', () => {
    fc.assert(
      fc.property(fc.array(entrant, { maxLength: 14 }), floors, directions, (list, payAbove, direction) => {
        const models = list.map(({ owner, isFlat }, index) =>
          participant(`m${index + 10}`, { cruncherId: owner, name: isFlat ? 'flat' : `model ${index}` }),
        )
        const snapshots = list.map(({ value, validCount }, index) =>
          worth(`m${index + 10}`, 10, value * 30, 30, { validCount, answeredCount: validCount }),
        )
        const emission = payAbove === undefined ? tiers() : tiers({ payAbove })
        const changes = {
          baselines: ['flat'],
          leaderboard: { direction },
          checkpoint: { minCoverage: 0.5, emission },
        }
        const closed = close(snapshots, { changes, models })
        const paid = closed.entries.filter(({ rewardFrac64 }) => rewardFrac64 > 0)
        expect(sumOf(closed)).toBe(paid.length === 0 ? 0 : fullRewardFrac64)
        expect(closed.emissionReason === null).toBe(paid.length > 0)
        const sign = direction === 'desc' ? 1 : -1
        const baselines = list.filter((one) => one.owner === 'organizer' && one.isFlat && one.validCount >= 15)
        const floor =
          payAbove === undefined
            ? Number.NEGATIVE_INFINITY
            : 'value' in payAbove
              ? sign * (payAbove.value as number)
              : Math.max(...baselines.map(({ value }) => sign * value), ...(baselines.length === 0 ? [Infinity] : []))
        for (const entry of closed.entries) {
          const one = list[Number(entry.modelId.slice(1)) - 10]!
          const canBePaid = one.owner !== 'organizer' && one.validCount >= 15 && sign * one.value > floor
          expect(Number.isSafeInteger(entry.rewardFrac64) && entry.rewardFrac64 >= 0).toBe(true)
          if (!canBePaid) expect(entry.rewardFrac64).toBe(0)
          expect(entry.unpaidReason === null).toBe(entry.rewardFrac64 > 0)
          if (canBePaid) expect(['no_share', null]).toContain(entry.unpaidReason)
        }
        for (const better of paid) {
          for (const other of paid) {
            if ((better.rank ?? 0) < (other.rank ?? 0))
              expect(better.rewardFrac64).toBeGreaterThanOrEqual(other.rewardFrac64)
          }
        }
      }),
    )
  })
})
