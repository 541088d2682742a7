import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { proportional, softmax } from '../../contract/defaults/by-value.ts'
import type { Emission, PayoutContext, RankedModel } from '../../contract/defaults/emission.ts'
import { shareProblem } from '../../contract/defaults/share-problem.ts'
import { tiers } from '../../contract/defaults/tiers.ts'
import { fullRewardFrac64 } from '../../domain/checkpoint.ts'
import { rankByValue } from '../../domain/statistics/ranking.ts'
import { divideReward } from './divide-reward.ts'

/** Cases of each emission; `npm run test:long` asks for 100,000. */
const cases = Number(process.env.CRUNCH_DIVISIONS ?? 400)

/** An author's emission: twice as much for each place, which is below a unit from the 31st on. */
const halving: Emission = {
  name: 'halving',
  shares(ranked) {
    const weights = ranked.map(({ rank }) => 2 ** -rank)
    const sum = weights.reduce((all, weight) => all + weight, 0)
    return weights.map((weight) => (weight / sum) * 100)
  },
}

const emissions: readonly (readonly [string, Emission])[] = [
  ['tiers', tiers()],
  ['tiers of two places', tiers([60, 40])],
  ['proportional', proportional({ zeroAt: 0 })],
  ['softmax', softmax()],
  ['softmax of a small temperature', softmax({ temperature: 1e-3 })],
  ["an author's own", halving],
]

/** Models with these values, best first, as a checkpoint ranks them. */
function rankedModels(values: readonly number[], { direction }: PayoutContext): RankedModel[] {
  const ranked = rankByValue(
    values.map((value, index) => ({ modelId: String(index), value })),
    ({ value }) => value,
    ({ modelId }) => modelId,
    direction,
  )
  return ranked.map(({ item, rank }) => ({ ...item, rank: rank ?? 0 }))
}

function expectFair(emission: Emission, values: readonly number[], payout: PayoutContext): void {
  const ranked = rankedModels(values, payout)
  const shares = emission.shares(ranked, payout)
  const problem = shareProblem(shares, ranked)
  if (problem !== null) throw new Error(problem)
  const units = divideReward(shares)
  const sum = units.reduce((all, unit) => all + unit, 0)
  const wrong = units.findIndex((unit, index) => {
    const before = units[index - 1] ?? fullRewardFrac64
    const isTied = ranked[index]?.rank === ranked[index - 1]?.rank
    return !Number.isSafeInteger(unit) || unit < 0 || unit > before || (isTied && before - unit > 1)
  })
  // One comparison, because an `expect` for each of 10,000 models takes seconds.
  expect([units.length, sum, wrong]).toEqual([values.length, fullRewardFrac64, -1])
}

const payouts = fc.record<PayoutContext>({
  direction: fc.constantFrom('asc' as const, 'desc' as const),
  floor: fc.constant(null),
})
/** With ties, zeros, negative and extreme values. */
const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0, -0, 1e-300, -1e-300, 1e300, -1e300, 1 / 3),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

describe.each(emissions)('%s', (_, emission) => {
  test('pays any models exactly, without a negative share, by rank, and equal ranks alike', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 25 }), payouts, (values, payout) =>
        expectFair(emission, values, payout),
      ),
      { numRuns: cases },
    )
  })

  test('pays 10,000 models so', () => {
    const values = Array.from({ length: 10_000 }, (_, index) =>
      index % 3 === 0 ? (index % 7) - 3 : Math.sin(index) * 5,
    )
    expectFair(emission, values, { direction: 'desc', floor: null })
  })
})
