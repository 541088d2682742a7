import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tiers } from '../../contract/defaults/tiers.ts'
import { divideReward } from './divide-reward.ts'

const full = 1_000_000_000
const sum = (units: readonly number[]) => units.reduce((total, unit) => total + unit, 0)
const times = (count: number, unit: number) => new Array<number>(count).fill(unit)

/** Shares of the default tiers for a number of models with different values. */
function defaultRewards(count: number): number[] {
  return divideReward(
    tiers().shares(
      Array.from({ length: count }, (_, index) => ({ modelId: `${index}`, rank: index + 1, value: -index })),
      { direction: 'desc', floor: null },
    ),
  )
}

/** Percentages that add up to 100, best rank first. */
const percentages = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 }), fc.double({ min: 1e-9, max: 1, noNaN: true })), {
    minLength: 1,
    maxLength: 60,
  })
  .filter((weights) => sum(weights) > 1e-6)
  .map((weights) => weights.sort((left, right) => right - left).map((weight) => (weight / sum(weights)) * 100))

describe('divideReward', () => {
  test.each([
    [1, [full]],
    [2, [625_000_000, 375_000_000]],
    [3, [500_000_000, ...times(2, 250_000_000)]],
    [4, [437_500_000, ...times(3, 187_500_000)]],
    [5, [400_000_000, ...times(4, 150_000_000)]],
    [8, [362_500_000, ...times(4, 112_500_000), ...times(3, 62_500_000)]],
    [10, [350_000_000, ...times(4, 100_000_000), ...times(5, 50_000_000)]],
    [11, [350_000_000, ...times(4, 100_000_000), ...times(5, 50_000_000), 0]],
  ])('divides the default tiers among %d models like the Python engine', (count, units) => {
    expect(defaultRewards(count)).toEqual(units)
  })

  // The Python engine rounds every share and adds the rest, even if negative, to the first. By largest remainder each share
  // is rounded down or up, here: 383333333.3, 133333333.3 and 83333333.3 with 2 units left, and so on.
  test.each([
    [6, [383_333_334, 133_333_334, ...times(3, 133_333_333), 83_333_333]],
    [7, [371_428_572, ...times(2, 121_428_572), ...times(2, 121_428_571), ...times(2, 71_428_571)]],
    [9, [355_555_556, ...times(4, 105_555_556), ...times(4, 55_555_555)]],
  ])('gives the remaining units of %d models one by one, starting with the best', (count, units) => {
    expect(defaultRewards(count)).toEqual(units)
    expect(sum(units)).toBe(full)
  })

  test('gives an indivisible unit to the first of equal models', () => {
    expect(divideReward([100 / 3, 100 / 3, 100 / 3])).toEqual([333_333_334, 333_333_333, 333_333_333])
  })

  test('pays whole units that sum to the total, each within one unit of its exact share', () => {
    fc.assert(
      fc.property(percentages, (shares) => {
        const units = divideReward(shares)
        expect(units).toHaveLength(shares.length)
        expect(sum(units)).toBe(full)
        for (const [index, unit] of units.entries()) {
          expect(Number.isSafeInteger(unit) && unit >= 0).toBe(true)
          expect(Math.abs(unit - ((shares[index] ?? 0) / sum(shares)) * full)).toBeLessThan(1.00001)
        }
      }),
    )
  })

  test('never pays less for a larger percentage, and pays equal ones the same up to a unit, the earlier first', () => {
    fc.assert(
      fc.property(percentages, (shares) => {
        const units = divideReward(shares)
        for (const [left, share] of shares.entries()) {
          for (let right = left + 1; right < shares.length; right += 1) {
            const difference = (units[left] ?? 0) - (units[right] ?? 0)
            const other = shares[right] ?? 0
            if (share > other) expect(difference).toBeGreaterThanOrEqual(0)
            if (share < other) expect(difference).toBeLessThanOrEqual(0)
            if (share === other) expect([0, 1]).toContain(difference)
          }
        }
      }),
    )
  })

  test('returns nothing for no models', () => {
    expect(divideReward([])).toEqual([])
  })

  test('accepts a sum that differs from 100 only by rounding', () => {
    expect(sum(divideReward([33.3333333, 33.3333333, 33.3333334]))).toBe(full)
    expect(sum(divideReward([97.4, 2.2, 0.4]))).toBe(full)
  })

  // A percentage is a share of the sum; with shares of 100, one or more units would be lost or paid twice.
  test.each([[[99.9999995]], [[100.0000005]], [[49.9999997, 49.9999998]], [[50.0000003, 50.0000004]]])(
    'pays exactly the total for %j',
    (shares) => {
      expect(sum(divideReward(shares))).toBe(full)
    },
  )
})
