import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract, resolvedContract } from '../../../test/sample-contract.ts'
import { AuthorError } from '../author-code.ts'
import { checkContract } from '../check-contract.ts'
import type { PeriodScores } from './period-scores.ts'
import { placesBy } from './places-by.ts'
import type { AggregateContext, RankableModel, RankContext } from './ranking-options.ts'
import { aggregated, runAggregate } from './run-aggregate.ts'
import { ranksByContract } from './run-rank.ts'

const lines = readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n')
const place = (name: string) => `ranking/ranking.test.ts:${lines.findIndex((line) => line.endsWith(`// ${name}`)) + 1}`

const missing = () => {
  throw new Error('there is none') // missing
}

const model = (modelId: string, value: number, long: number | null = value): RankableModel => ({
  ...{ modelId, value, coverage: 1, windows: { recent: value, long } },
})
const models = [model('c', 2), model('a', 3), model('b', 2), model('d', 1)]
const ranksOf = (rank: unknown, of = models) =>
  Object.fromEntries(ranksByContract(changedContract({ leaderboard: { rank } }), of) ?? [])

describe("leaderboard.rank, the contract's own order", () => {
  test('gives ranks: ids in their order, and those of a list share theirs', () => {
    expect(ranksOf(() => ['d', ['c', 'b'], 'a'])).toEqual({ d: 1, c: 2, b: 2, a: 4 })
    expect(ranksOf(() => [['a', 'b', 'c', 'd']])).toEqual({ a: 1, b: 1, c: 1, d: 1 })
  })

  test('is not asked without models, and there is none by default', () => {
    expect(ranksOf(() => ['x'], [])).toEqual({})
    expect(ranksByContract(changedContract({}), models)).toBeNull()
  })

  test('gets copies, in order of id', () => {
    const windows = { recent: 1, long: 1 }
    const own = [{ ...model('b', 1), windows }, model('a', 2)]
    const rank = ({ models: given }: { models: { modelId: string; windows: Record<string, number> }[] }) => {
      const ids = given.map(({ modelId }) => modelId)
      for (const one of given) one.windows.recent = 9
      given.length = 0
      return ids
    }
    expect(ranksOf(rank, own)).toEqual({ a: 1, b: 2 })
    expect([own.length, windows]).toEqual([2, { recent: 1, long: 1 }])
  })

  test.each<[string, (context: RankContext) => unknown, string]>([
    ['too few models', () => ['a', 'b'], 'no place for "c", "d"'],
    ['no model', () => [], 'no place for "c", "a", "b" and 1 more'],
    ['an unknown model', () => ['a', 'b', 'c', 'd', 'e'], 'the unknown model "e"'],
    ['a model twice', () => ['a', ['b', 'a'], 'c', 'd'], 'the model "a" twice'],
    ['numbers', () => [1, 2, 3, 4], '1 in its list; each entry must be the id of a model'],
    ['NaN', () => Number.NaN, 'NaN; it must be a list of model ids, best first'],
    ['a rank in a tie', () => ['a', ['b', 2.5]], '2.5 in its list; each entry must be the id of a model'],
    ['objects', () => [{ modelId: 'a', rank: 1 }], 'an object in its list'],
    ['nested ties', () => [[['a', 'b']], 'c', 'd'], 'a list in its list'],
    ['an empty place', () => ['a', [], 'b', 'c', 'd'], 'an empty list as a place'],
    ['ranks by id', () => ({ a: 1, b: 2 }), 'an object; it must be a list of model ids'],
    ['nothing', () => undefined, 'undefined; it must be a list'],
    [
      'a promise',
      async () => ['a', 'b', 'c', 'd'],
      'a promise (contract functions are synchronous); it must be a list',
    ],
  ])('is refused with %s', (_, rank, problem) => {
    expect(() => ranksOf(rank)).toThrow(AuthorError)
    expect(() => ranksOf(rank)).toThrow(`leaderboard.rank returned ${problem}`)
  })

  test('is refused with file and line, where it throws and where it reads what it got', () => {
    const reads = ({ models: given }: RankContext) => given.map(() => 'a') // reads
    const throws = ({ models: given }: RankContext) => given.map(({ windows }) => String(windows.none ?? missing()))
    expect(() => ranksOf(reads)).toThrow(`leaderboard.rank at ${place('reads')} returned the model "a" twice`)
    expect(() => ranksOf(throws)).toThrow(`leaderboard.rank failed at ${place('missing')}: there is none`)
  })
})

describe('placesBy', () => {
  test('orders, and puts what compares as equal on one place', () => {
    expect(placesBy(models, (left, right) => right.value - left.value)).toEqual([['a'], ['c', 'b'], ['d']])
    expect(placesBy([], () => 0)).toEqual([])
  })
})

describe("leaderboard.aggregate, the contract's own value of a window", () => {
  const run = (aggregate: (context: AggregateContext) => unknown, values = [1, 2]) => {
    const scores = values.map((value, index) => ({ value, kind: 'valid' as const, resolvableAt: index }))
    const { leaderboard } = changedContract({ leaderboard: { aggregate } })
    return runAggregate(leaderboard, { scores, start: 0, end: 9 }, 'of model "m"')
  }

  test('is a finite number, or null', () => {
    expect(run(({ scores }) => Math.max(...scores.map(({ value }) => value)))).toBe(2)
    expect(run(() => null)).toBeNull()
  })

  test.each<[unknown, string]>([
    [Number.NaN, 'NaN for the 2 scores of model "m"; it must be a finite number, or null for no value'],
    [Number.POSITIVE_INFINITY, 'Infinity for the 2 scores'],
    [undefined, 'undefined for the 2 scores'],
    ['3', 'the text "3" for the 2 scores'],
    [{ value: 3 }, 'an object for the 2 scores'],
    [true, 'a boolean for the 2 scores'],
    [Promise.resolve(3), 'a promise (contract functions are synchronous) for the 2 scores'],
  ])('is refused with %s', (given, problem) => {
    expect(() => run(() => given)).toThrow(AuthorError)
    expect(() => run(() => given)).toThrow(`leaderboard.aggregate returned ${problem}`)
  })

  test('is refused with file and line', () => {
    const ratio = ({ scores }: AggregateContext) => scores.length / 0 - scores.length / 0 // ratio
    expect(() => run(ratio, [1])).toThrow(`leaderboard.aggregate at ${place('ratio')} returned NaN for the score of`)
  })
})

describe('the scores that an aggregate gets of a model', () => {
  const standing = {
    ...{ value: 1, roundCount: 5, excusedCount: 0, validCount: 1, scoreCount: 1, dueCount: 1, answeredCount: 1 },
  }
  const score = (value: number, kind: 'valid' | 'imputed', resolvableAt: number) => ({ value, kind, resolvableAt })
  const round = (at: number) => ({
    performedAt: at,
    worst: score(-at, 'imputed', at + 10),
    missing: score(-10 * at, 'imputed', at + 10),
  })
  const scores: readonly PeriodScores[] = [
    {
      rounds: [1, 2, 3, 4, 5, 6].map(round),
      byModel: new Map([['m', [undefined, undefined, score(7, 'valid', 13), score(8, 'imputed', 14), null]]]),
    },
    { rounds: [{ ...round(7), missing: null }], byModel: new Map() },
  ]
  /** As `value kind resolvableAt`. */
  const given = (newcomers: string, of: readonly PeriodScores[] | null = scores) => {
    const seen: string[] = []
    const aggregate = (context: AggregateContext) => {
      seen.push(...context.scores.map(({ value, kind, resolvableAt }) => `${value} ${kind} ${resolvableAt}`))
      return null
    }
    const own = { id: 'm', registeredAt: 2 }
    const resolved = resolvedContract({ leaderboard: { aggregate, newcomers } })
    expect(aggregated(resolved, own, standing, { start: 0, end: 20, scores: of })).toEqual({ ...standing, value: null })
    return seen
  }
  const since = ['-20 imputed 12', '7 valid 13', '8 imputed 14', '-60 imputed 16']

  test('are its own, and since its registration those of missing answers', () => {
    expect(given('wait')).toEqual(since)
  })

  test("are the worst scores before its registration under newcomers: 'worst'", () => {
    expect(given('worst')).toEqual(['-1 imputed 11', ...since])
  })

  test('must have been read', () => {
    expect(() => given('wait', null)).toThrow('leaderboard.aggregate needs the scores of its windows, one by one')
  })
})

describe('the check of a contract', () => {
  const findings = (leaderboard: object, rest: object = {}) =>
    checkContract(changedContract({ leaderboard, ...rest })).map(({ path, cause }) => `${path}: ${cause}`)
  const mean = ({ scores }: AggregateContext) => scores.reduce((sum, { value }) => sum + value, 0) / scores.length
  let calls = 0
  const count = () => {
    calls += 1
    return calls
  }

  test('is content with functions that work', () => {
    const rank = ({ models: given }: RankContext) => placesBy(given, (left, right) => right.value - left.value)
    expect(findings({ aggregate: mean, rank })).toEqual([])
    // Few scores have no value: that is no stub.
    expect(findings({ aggregate: (context: AggregateContext) => (context.scores.length < 9 ? null : 1) })).toEqual([])
    // Nothing can be made up for a schema that zod cannot describe.
    const schema = z.custom<{ value: number }>((value) => value !== null)
    expect(findings({ aggregate: () => Number.NaN }, { score: { schema } })).toEqual([])
  })

  test('says of code that throws where it may be wrong, and not what it should return', () => {
    const [wrong] = checkContract(changedContract({ leaderboard: { rank: () => [] } }))
    expect(wrong?.fix).toBe('return the id of each model once, best first, and ids of one rank as a list')
    const [thrown] = checkContract(changedContract({ leaderboard: { rank: missing } }))
    expect(thrown).toMatchObject({
      cause: `failed at ${place('missing')}: there is none`,
      fix: expect.stringMatching(/^correct that line; it must also work for one model/),
    })
  })

  test.each<[string, object, RegExp]>([
    ['no function', { rank: 'best', aggregate: 1 }, /^leaderboard\.(rank|aggregate): is not a function$/],
    [
      'a ratio that one score does not have',
      { aggregate: ({ scores }: AggregateContext) => (scores.length - 1) / (scores.length - 1) },
      /^leaderboard\.aggregate: at ranking\/ranking\.test\.ts:\d+ returned NaN for the score of a dry run/,
    ],
    [
      'a stub',
      { aggregate: () => 1 },
      /^leaderboard\.aggregate: gives 1 for 8 different windows: it looks like a stub$/,
    ],
    ['chance', { aggregate: count }, /^leaderboard\.aggregate: gives another value when it is called again/],
    [
      'a window without a value',
      { rank: ({ models: [best] }: RankContext) => best?.windows.long?.toFixed(1).length && [best.windows.none] },
      /^leaderboard\.rank: at ranking\/ranking\.test\.ts:\d+ returned undefined; it must be a list/,
    ],
    [
      'ranks instead of an order',
      { rank: ({ models: given }: RankContext) => given.map((_, rank) => rank + 1) },
      /returned 1 in its list/,
    ],
    [
      'an order that changes',
      {
        rank: ({ models: given }: RankContext) =>
          count() % 2 === 0 ? given.map(({ modelId }) => modelId) : [given.map(({ modelId }) => modelId)],
      },
      /^leaderboard\.rank: gives another order when it is called again/,
    ],
  ])('finds %s', (_, leaderboard, finding) => {
    const found = findings(leaderboard)
    expect(found.length).toBeGreaterThan(0)
    for (const one of found) expect(one).toMatch(finding)
  })
})
