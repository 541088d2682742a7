import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ContractChanges, resolvedContract } from '../../../test/sample-contract.ts'
import type { Model } from '../../domain/models/model.ts'
import type { PeriodRounds } from '../../domain/period-rounds.ts'
import type { Snapshot } from '../../domain/snapshot.ts'
import { minute, model, periodRounds, snapshot, spanOf } from '../../ports/store-samples.ts'
import { rankModels } from './rank-models.ts'

// Windows of the sample contract: recent 20 minutes (the ranking one), long 60 minutes. Periods are ten minutes.
const models = (...ids: string[]) => ids.map((id) => ({ ...model(id), registeredAt: minute(0), retirements: [] }))

/** A snapshot of a model that answered each of `count` rounds. */
const worth = (modelId: string, endMinute: number, sum: number, count: number, rest: Partial<Snapshot> = {}) => {
  const counts = { scoreCount: count, dueCount: count, answeredCount: count, validCount: count, excusedCount: 0 }
  const missed = { sum: 0, count: 0 }
  return snapshot(modelId, endMinute, { sums: { value: { sum, count } }, missed, ...counts, ...rest })
}

/** The six periods of the longest window, each with a number of rounds. */
const hour = (roundCount: number, worst = -1): PeriodRounds[] =>
  [10, 20, 30, 40, 50, 60].map((end) =>
    periodRounds(end, {
      roundCount,
      worst: { sum: roundCount * worst, count: roundCount },
      missing: { sum: 0, count: 0 },
    }),
  )

interface Case {
  readonly changes?: ContractChanges
  readonly periods?: readonly PeriodRounds[]
  readonly models?: readonly Model[]
}

/** Ranks with `newcomers: 'own'`, so that each test sets its own coverage rules. */
function rank(
  ids: readonly string[],
  snapshots: readonly Snapshot[],
  { changes = {}, periods = hour(1), ...rest }: Case = {},
) {
  const leaderboard = { newcomers: 'own', ...(changes.leaderboard as object) }
  const resolved = resolvedContract({ ...changes, leaderboard })
  return rankModels(resolved, rest.models ?? models(...ids), spanOf(periods, snapshots), new Map(), minute(60))
}

describe('rankModels', () => {
  test('includes the snapshots that lie entirely within a window', () => {
    const [entry] = rank(['a'], [worth('a', 40, 100, 1), worth('a', 50, 10, 1), worth('a', 60, 2, 1)]).entries
    // The recent window starts at minute 40: the snapshot that ends there is outside, the one that starts there inside.
    expect(entry?.windows).toEqual({ recent: 6, long: 112 / 3 })
  })

  test('ignores snapshots from before the longest window', () => {
    const [entry] = rank(['a'], [worth('a', 0, 100, 1), worth('a', 10, 2, 1)]).entries
    expect(entry?.windows).toEqual({ recent: null, long: 2 })
    expect(entry).toMatchObject({ rank: null, unrankedReason: 'no_data', scoreCount: 0, coverage: 0 })
  })

  test('is the mean over scores, weighted by count', () => {
    const [entry] = rank(['a'], [worth('a', 50, 10, 1), worth('a', 60, 9, 9)]).entries
    expect(entry?.windows.recent).toBe(1.9)
    expect(entry?.scoreCount).toBe(10)
  })

  test('ranks by the ranking window only, equal values equally, models without a value last', () => {
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

  test('ranks the lowest first if lower is better', () => {
    const changes = { leaderboard: { direction: 'asc' } }
    const { entries } = rank(['a', 'b'], [worth('a', 60, 3, 1), worth('b', 60, 2, 1)], { changes })
    expect(entries.map((entry) => [entry.modelId, entry.rank])).toEqual([
      ['b', 1],
      ['a', 2],
    ])
  })

  test('omits models registered at its end or later, and snapshots of unknown models', () => {
    const late = [
      { ...model('a'), registeredAt: minute(60) - 1, retirements: [] },
      { ...model('b'), registeredAt: minute(60), retirements: [] },
      { ...model('c'), registeredAt: minute(61), retirements: [] },
    ]
    const board = rank([], [worth('x', 60, 1, 1)], { models: late })
    expect(board.entries.map((entry) => entry.modelId)).toEqual(['a'])
  })

  test('contains its ranking value and time', () => {
    expect(rank([], [])).toEqual({
      id: 'LBR_20260301_110000.000',
      era: 1,
      asOf: minute(60),
      rankBy: 'recent',
      direction: 'desc',
      entries: [],
    })
  })
})

describe('coverage', () => {
  test('is the share of all rounds of the window, including periods in which the model has no snapshot', () => {
    const snapshots = [worth('a', 30, 9, 9), worth('a', 60, 3, 3, { dueCount: 4 })]
    const [entry] = rank(['a'], snapshots, { periods: hour(10) }).entries
    expect(entry).toMatchObject({ validCount: 3, roundCount: 20, coverage: 0.15 })
  })

  test('omits excused rounds', () => {
    const snapshots = [worth('a', 50, 3, 3, { excusedCount: 7 }), worth('a', 60, 6, 6, { excusedCount: 1 })]
    const [entry] = rank(['a'], snapshots, { periods: hour(10) }).entries
    expect(entry).toMatchObject({ validCount: 9, roundCount: 12, coverage: 0.75 })
  })

  test('is unknown, without a rank, for a window without counting rounds', () => {
    const [entry] = rank(['a'], [worth('a', 60, 0, 0, { excusedCount: 20 })], { periods: hour(10) }).entries
    expect(entry).toMatchObject({ rank: null, unrankedReason: 'no_data', roundCount: 0, coverage: null })
  })

  test('does not count scores of missing answers', () => {
    const imputed = worth('a', 60, -5, 10, { answeredCount: 0, validCount: 0 })
    const [entry] = rank(['a'], [imputed], { periods: hour(10) }).entries
    expect(entry).toMatchObject({ rank: null, unrankedReason: 'no_data', scoreCount: 10, validCount: 0, coverage: 0 })
    expect(entry?.windows.recent).toBe(-0.5)
  })
})

describe('a model that joined in the last of thirteen weeks', () => {
  // 17 of 120 rounds per week, with the best mean of all.
  const weekMs = 604_800_000
  const weeks = Array.from({ length: 13 }, (_, index) => minute(0) + (index + 1) * weekMs)
  const inWeek = (modelId: string, periodEnd: number, sum: number, count: number, unasked: number) => ({
    ...worth(modelId, 0, sum, count, { unasked: { sum: unasked * -1, count: unasked } }),
    periodStart: periodEnd - weekMs,
    periodEnd,
  })
  const periods = weeks.map((periodEnd) => ({
    periodStart: periodEnd - weekMs,
    periodEnd,
    roundCount: 120,
    worst: { sum: -120, count: 120 },
    missing: { sum: -240, count: 120 },
    firstPerformedAt: periodEnd - weekMs,
  }))
  const snapshots = weeks.flatMap((end, index) => [
    inWeek('honest', end, 120 * 0.1, 120, 0),
    ...(index === 12 ? [inWeek('newcomer', end, 17 * 0.9, 17, 103)] : []),
  ])
  const entrants = [
    { ...model('honest'), registeredAt: minute(0), retirements: [] },
    { ...model('newcomer'), registeredAt: minute(0) + 13 * weekMs - 17 * 60_000, retirements: [] },
  ]
  const board = (leaderboard: object) => {
    const windows = { recent: '91d' }
    const resolved = resolvedContract({ snapshot: { every: '7d' }, leaderboard: { windows, ...leaderboard } })
    return rankModels(resolved, entrants, spanOf(periods, snapshots), new Map(), weeks[12] as number).entries
  }
  const placed = (leaderboard: object) => board(leaderboard).map(({ modelId, rank: place }) => `${modelId} ${place}`)

  test('waits, and the board shows its coverage of the window', () => {
    expect(placed({})).toEqual(['honest 1', 'newcomer null'])
    expect(board({})[1]).toMatchObject({
      unrankedReason: 'waiting',
      validCount: 17,
      roundCount: 13 * 120,
      coverage: 17 / 1560,
      windows: { recent: expect.closeTo(0.9) },
    })
  })

  test('waits only as long as the contract requires', () => {
    expect(placed({ minCoverage: 17 / 1560 })).toEqual(['newcomer 1', 'honest 2'])
    expect(placed({ minCoverage: 18 / 1560 })).toEqual(['honest 1', 'newcomer null'])
  })

  test("has the worst score of every round without a row under newcomers: 'worst'", () => {
    expect(placed({ newcomers: 'worst' })).toEqual(['honest 1', 'newcomer 2'])
    expect(board({ newcomers: 'worst' })[1]).toMatchObject({
      windows: { recent: expect.closeTo((17 * 0.9 - 1543) / 1560, 12) },
      scoreCount: 17,
      coverage: 17 / 1560,
    })
  })

  test("counts only its own rounds under newcomers: 'own', and coverage still shows it", () => {
    expect(placed({ newcomers: 'own' })).toEqual(['newcomer 1', 'honest 2'])
    expect(board({ newcomers: 'own' })[0]).toMatchObject({ validCount: 17, coverage: 17 / 1560 })
  })
})

describe('rounds that a model missed since its registration because it was retired', () => {
  const missing = { sum: -30, count: 10 }
  const periods = hour(10).map((period) => ({ ...period, missing, firstPerformedAt: period.periodStart }))
  const back = (registeredAt: number): Model => ({
    ...{ ...model('back'), registeredAt },
    retirements: [{ from: minute(31), until: minute(52), reason: 'removed' }],
  })
  const snapshots = [
    ...[10, 20, 30, 40, 50, 60].map((end) => worth('a', end, 10, 10)),
    worth('back', 60, 12, 8, { unasked: { sum: -50, count: 5 }, missed: { sum: -6, count: 2 } }),
  ]
  const entry = (newcomers: string, registeredAt: number) => {
    const changes = { leaderboard: { newcomers, minCoverage: 0 } }
    const board = rank([], snapshots, { changes, periods, models: [...models('a'), back(registeredAt)] })
    return board.entries.find(({ modelId }) => modelId === 'back')
  }

  test.each(['wait', 'own'])('count as missing answers, even in periods without a row (%s)', (newcomers) => {
    expect(entry(newcomers, minute(40))?.windows).toEqual({ recent: (12 - 6 - 30) / 20, long: (12 - 6 - 30) / 20 })
    expect(entry(newcomers, minute(0))?.windows).toEqual({ recent: -24 / 20, long: (12 - 6 - 5 * 30) / 60 })
    expect(entry(newcomers, minute(0))).toMatchObject({ scoreCount: 8, validCount: 8, coverage: 0.4 })
  })

  test('do not affect earlier rounds, for which the policy for newcomers applies', () => {
    expect(entry('worst', minute(40))?.windows.long).toBe((12 - 6 - 50 - 30 - 4 * 10) / 65)
    // A model that registered within a period has a snapshot of it, unless all rounds of the period were earlier.
    expect(entry('own', minute(41))?.windows.recent).toBe((12 - 6) / 10)
  })
})

describe('unranked models', () => {
  test('that did not answer their own rounds have too few answers instead of waiting', () => {
    const changes = { leaderboard: { newcomers: 'wait', minCoverage: 0.5 } }
    const idle = worth('idle', 60, 9, 9, { dueCount: 20 })
    const late = worth('late', 60, 9, 9)
    const { entries } = rank(['idle', 'late'], [idle, late], { changes, periods: hour(10) })
    expect(entries.map((entry) => entry.unrankedReason)).toEqual(['low_coverage', 'waiting'])
  })

  const organizer = { cruncherId: 'organizer', registeredAt: minute(0), retirements: [] }
  const field: Model[] = [
    ...models('best', 'worst', 'silent'),
    { ...model('f'), ...organizer, name: 'Flat' },
    { ...model('demo'), ...organizer },
  ]
  const values = { best: 3, f: 2, demo: 1, worst: 0 }
  const snapshots = Object.entries(values).map(([id, value]) => worth(id, 60, value, 1))

  test("are sorted in by value if they are the organizer's, without affecting ranks", () => {
    const { entries } = rank([], snapshots, { changes: { baselines: ['flat'] }, models: field })
    expect(entries.map(({ modelId, rank: place, unrankedReason }) => [modelId, place, unrankedReason])).toEqual([
      ['best', 1, null],
      ['f', null, 'baseline'],
      ['demo', null, 'organizer'],
      ['worst', 2, null],
      ['silent', null, 'no_data'],
    ])
  })

  test('come after the ranked ones, best first, those without data last', () => {
    const changes = { baselines: ['flat'], leaderboard: { newcomers: 'wait', minCoverage: 1, direction: 'asc' } }
    const all = [...models('x', 'y'), ...field]
    const waiting = [worth('x', 60, 5, 1), worth('y', 60, 4, 1)]
    const full = snapshots.map((one) => (one.modelId === 'worst' ? { ...one, validCount: 2 } : one))
    const { entries } = rank([], [...full, ...waiting], { changes, models: all })
    expect(entries.map((entry) => entry.modelId)).toEqual(['worst', 'demo', 'f', 'best', 'y', 'x', 'silent'])
  })

  test('come last if they are retired at the end of the period, and disappear with their last snapshot', () => {
    const retired = (id: string, from: number, until: number | null = null) => ({
      ...(models(id)[0] as Model),
      retirements: [{ from: minute(from), until: until === null ? null : minute(until), reason: 'removed' }],
    })
    const all = [
      ...models('a', 'silent'),
      retired('gone', 60),
      retired('back', 30, 60),
      retired('later', 61),
      retired('old', 5),
    ]
    const taken = ['a', 'gone', 'back', 'later'].map((id, index) => worth(id, 60, index, 1))
    const { entries } = rank([], taken, { models: all })
    expect(entries.map(({ modelId, rank: place, unrankedReason }) => [modelId, place, unrankedReason])).toEqual([
      ['later', 1, null],
      ['back', 2, null],
      ['a', 3, null],
      ['silent', null, 'no_data'],
      ['gone', null, 'retired'],
    ])
  })

  test('do not affect ranks: a rank is one more than the number of better ranked models', () => {
    const entrant = fc.record({
      value: fc.integer({ min: -3, max: 3 }),
      validCount: fc.integer({ min: 0, max: 20 }),
      isOrganizers: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(entrant, { maxLength: 12 }), fc.constantFrom('asc', 'desc'), (list, direction) => {
        const own = list.map(({ isOrganizers }, index) => {
          const cruncher = isOrganizers ? organizer : { registeredAt: minute(0), retirements: [] }
          return { ...model(`m${index}`), ...cruncher }
        })
        const taken = list.map(({ value, validCount }, index) => worth(`m${index}`, 60, value * 20, 20, { validCount }))
        const changes = { leaderboard: { newcomers: 'wait', minCoverage: 0.5, direction } }
        const { entries } = rank([], taken, { changes, models: own, periods: hour(10) })
        const sign = direction === 'desc' ? 1 : -1
        const canRank = list.filter((one) => !one.isOrganizers && one.validCount >= 10)
        for (const [index, one] of list.entries()) {
          const entry = entries.find(({ modelId }) => modelId === `m${index}`)
          const better = canRank.filter(({ value }) => sign * (value - one.value) > 0)
          const expected = canRank.includes(one) ? better.length + 1 : null
          expect(entry?.rank).toBe(expected)
          expect(entry?.unrankedReason === null).toBe(expected !== null)
        }
      }),
    )
  })
})
