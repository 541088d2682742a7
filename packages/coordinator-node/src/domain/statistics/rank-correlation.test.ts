import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { averageRanks, correlation, rankCorrelation } from './rank-correlation.ts'

// numerai-tools and scipy.stats.spearmanr agree on this pair, which has ties on both sides.
const forecast = [0.1, 0.7, 0.3, 0.9, 0.5, 0.2, 0.8, 0.4, 0.6, 0.6]
const target = [0, 0.75, 0.25, 1, 0.5, 0.25, 0.5, 0.5, 0.75, 0.5]

const series = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })), { maxLength: 20 })

describe('averageRanks', () => {
  test('gives equal values their average rank', () => {
    expect(averageRanks([1, 0, 1, 0, 1])).toEqual([4, 1.5, 4, 1.5, 4])
    expect(averageRanks([30, 10, 20])).toEqual([3, 1, 2])
    expect(averageRanks([])).toEqual([])
  })

  test('adds up to n (n + 1) / 2', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 })), (values) => {
        const sum = averageRanks(values).reduce((total, rank) => total + rank, 0)
        expect(sum).toBe((values.length * (values.length + 1)) / 2)
      }),
    )
  })
})

describe('correlation', () => {
  test('is Pearson’s', () => {
    expect(correlation([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12)
    expect(correlation([1, 2, 3, 4], [2, 1, 4, 3])).toBeCloseTo(0.6, 12)
  })

  test('is undefined for fewer than two pairs or a constant side, regardless of rounding', () => {
    expect(correlation([], [])).toBeNull()
    expect(correlation([1], [2])).toBeNull()
    expect(correlation([1, 1, 1], [1, 2, 3])).toBeNull()
    expect(correlation([1, 2, 3], [0.1, 0.1, 0.1])).toBeNull()
    expect(correlation([0.1, 0.1, 0.1], [1, 2, 3])).toBeNull()
    expect(correlation([1e-200, 2e-200], [1, 2])).toBeNull()
  })
})

test.each([correlation, rankCorrelation])('%o refuses lists that are not pairs, and NaN', (measure) => {
  expect(() => measure([1, 2, 3], [1, 2])).toThrow(/needs pairs: there are 3 values on the left, 2 on the right/)
  expect(() => measure([1], [1, 2])).toThrow(RangeError)
  expect(() => measure([1, 2], [1, Number.NaN])).toThrow(/value 1 is NaN/)
  expect(() => averageRanks([Number.NaN, 1])).toThrow(/value 0 is NaN/)
})

test('an infinity has a rank, but no correlation', () => {
  expect(averageRanks([Number.POSITIVE_INFINITY, 1])).toEqual([2, 1])
  expect(rankCorrelation([1, 2, Number.POSITIVE_INFINITY], [1, 2, 3])).toBe(1)
  expect(() => correlation([1, 2], [1, Number.POSITIVE_INFINITY])).toThrow(/value 1 is Infinity/)
})

describe('rankCorrelation', () => {
  test('is Spearman’s, with ties at their average rank', () => {
    expect(rankCorrelation(forecast, target)).toBeCloseTo(0.8711871219403556, 12)
  })

  test('is null for constant forecasts; without tie averaging they would look perfect', () => {
    expect(rankCorrelation([1, 1, 1, 1], [1, 2, 3, 4])).toBeNull()
  })

  test('is within [-1, 1], symmetric, and changes sign when one side is negated', () => {
    fc.assert(
      fc.property(series, (pairs) => {
        const left = pairs.map(([value]) => value)
        const right = pairs.map(([, value]) => value)
        const value = rankCorrelation(left, right)
        expect(rankCorrelation(right, left)).toBe(value)
        const turned = rankCorrelation(
          left,
          right.map((item) => -item),
        )
        if (value === null) expect(turned).toBeNull()
        else {
          expect(Math.abs(value)).toBeLessThanOrEqual(1)
          expect(turned).toBeCloseTo(-value, 12)
        }
      }),
    )
  })

  test('depends only on the order of values', () => {
    fc.assert(
      fc.property(series, (pairs) => {
        const left = pairs.map(([value]) => value)
        const right = pairs.map(([, value]) => value)
        const stretched = left.map((value) => Math.exp(value))
        expect(rankCorrelation(stretched, right)).toBe(rankCorrelation(left, right))
      }),
    )
  })
})
