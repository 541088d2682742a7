import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rankByValue } from '../../domain/statistics/ranking.ts'
import type { Emission, RankedModel } from './emission.ts'
import { tiers } from './tiers.ts'

/** Models with these values, best first, as a checkpoint ranks them. */
function rankedModels(values: readonly number[]): RankedModel[] {
  const models = values.map((value, index) => ({ modelId: `model-${String(index).padStart(2, '0')}`, value }))
  return rankByValue(
    models,
    (model) => model.value,
    (model) => model.modelId,
    'desc',
  ).map(({ item, rank }) => ({ ...item, rank: rank as number }))
}

const sharesOf = (emission: Emission, ranked: readonly RankedModel[]) =>
  emission.shares(ranked, { direction: 'desc', floor: null })

const sum = (shares: readonly number[]) => shares.reduce((total, share) => total + share, 0)

describe('tiers', () => {
  test('pays 35, four times 10 and five times 5 percent, and nothing to later places', () => {
    const shares = sharesOf(tiers(), rankedModels([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]))
    expect(shares).toEqual([35, 10, 10, 10, 10, 5, 5, 5, 5, 5, 0, 0])
  })

  test('splits unclaimed shares equally among all', () => {
    expect(sharesOf(tiers(), rankedModels([2, 1]))).toEqual([62.5, 37.5])
    expect(sharesOf(tiers([50, 30]), rankedModels([4, 3, 2, 1]))).toEqual([55, 35, 5, 5])
    expect(sharesOf(tiers([]), rankedModels([2, 1]))).toEqual([50, 50])
  })

  test('lets models with equal rank share the tiers of their places', () => {
    expect(sharesOf(tiers([50, 30, 20]), rankedModels([3, 3, 1]))).toEqual([40, 40, 20])
    expect(sharesOf(tiers([50, 30, 20]), rankedModels([3, 1, 1]))).toEqual([50, 25, 25])
    // The Python engine gives the first of four leaders a negative share.
    expect(sharesOf(tiers(), rankedModels([1, 1, 1, 1]))).toEqual([25, 25, 25, 25])
  })

  test('splits the last tier among all models tied for it', () => {
    expect(sharesOf(tiers([60, 40]), rankedModels([9, 5, 5, 5, 5]))).toEqual([60, 10, 10, 10, 10])
  })

  test('accepts percentages together with a floor, which the checkpoint applies', () => {
    const payAbove = { baseline: 'flat' }
    expect(sharesOf(tiers({ percentages: [50, 30], payAbove }), rankedModels([4, 3, 2, 1]))).toEqual([55, 35, 5, 5])
    expect(tiers({ payAbove })).toMatchObject({ name: 'tiers', payAbove })
    expect(sharesOf(tiers({ payAbove }), rankedModels([2, 1]))).toEqual([62.5, 37.5])
    expect('payAbove' in tiers([50, 30])).toBe(false)
  })

  test('returns no shares for no models', () => {
    expect(sharesOf(tiers(), [])).toEqual([])
  })

  test('gives no negative share when tiers exceed 100 by rounding', () => {
    const shares = sharesOf(tiers([97.4, 2.2, 0.4]), rankedModels([4, 3, 2, 1]))
    expect(shares[3]).toBe(0)
  })

  test('divides 100 percent without negative shares, decreasing by rank, and equal for equal ranks', () => {
    const values = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 25 })
    const cuts = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 0, maxLength: 12 })
    fc.assert(
      fc.property(values, cuts, (list, points) => {
        const edges = [0, ...points.sort((left, right) => left - right), 1_000]
        const places = edges.slice(1).map((edge, index) => (edge - (edges[index] ?? 0)) / 10)
        places.sort((left, right) => right - left)
        const ranked = rankedModels(list)
        const shares = sharesOf(tiers(places), ranked)
        expect(sum(shares)).toBeCloseTo(100, 9)
        for (const [index, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(0)
          const before = shares[index - 1] ?? Number.POSITIVE_INFINITY
          if (ranked[index]?.rank === ranked[index - 1]?.rank) expect(share).toBe(before)
          else expect(share).toBeLessThanOrEqual(before + 1e-9)
        }
      }),
    )
  })
})
