import { describe, expect, test } from 'vitest'
import { proportional, softmax } from './by-value.ts'
import type { Emission, PayoutContext } from './emission.ts'

const close = (...shares: number[]) => shares.map((share) => expect.closeTo(share, 9))

/** Shares of models with these values, best first, and with these ranks. */
function sharesOf(
  emission: Emission,
  values: readonly number[],
  payout: Partial<PayoutContext> = {},
  ranks = values.map((value) => 1 + values.indexOf(value)),
): readonly number[] {
  const models = values.map((value, index) => ({ modelId: `${index}`, rank: ranks[index] ?? 0, value }))
  return emission.shares(models, { direction: 'desc', floor: null, ...payout })
}

describe('proportional', () => {
  test('pays in proportion to the value, and nothing to one that is not above 0', () => {
    expect(sharesOf(proportional(), [3, 1])).toEqual([75, 25])
    expect(sharesOf(proportional(), [4, 4, 2, 0, -8])).toEqual([40, 40, 20, 0, 0])
    expect(sharesOf(proportional(), [7])).toEqual([100])
  })

  test('pays in proportion to the distance from the floor, or from a value, in both directions', () => {
    expect(sharesOf(proportional(), [5, 3], { floor: 2 })).toEqual(close(75, 25))
    expect(sharesOf(proportional(), [-1, -3], { floor: -4 })).toEqual(close(75, 25))
    expect(sharesOf(proportional({ zeroAt: 1 }), [5, 3], { floor: 2 })).toEqual(close(200 / 3, 100 / 3))
    expect(sharesOf(proportional(), [1, 3], { direction: 'asc', floor: 4 })).toEqual(close(75, 25))
    expect(sharesOf(proportional({ zeroAt: 4 }), [1, 3], { direction: 'asc' })).toEqual(close(75, 25))
  })

  test('pays equal shares if no value is better, so that a period of losses is paid too', () => {
    expect(sharesOf(proportional(), [0, -1, -2, -2])).toEqual([25, 25, 25, 25])
    expect(sharesOf(proportional(), [0, 0])).toEqual([50, 50])
  })

  test('refuses to pay for values above 0 where lower is better', () => {
    expect(() => sharesOf(proportional(), [1, 2], { direction: 'asc' })).toThrow('add payAbove, such as a baseline')
  })

  test('stays finite for extreme values', () => {
    const { MAX_VALUE, MIN_VALUE } = Number
    expect(sharesOf(proportional({ zeroAt: -MAX_VALUE }), [MAX_VALUE, 0])).toEqual(close(200 / 3, 100 / 3))
    expect(sharesOf(proportional(), [MIN_VALUE, MIN_VALUE])).toEqual([50, 50])
  })
})

describe('softmax', () => {
  test('pays e times as much for a lead of one temperature, wherever 0 is', () => {
    const best = 100 / (1 + 1 / Math.E)
    for (const values of [
      [1, 0],
      [-8, -9],
    ]) {
      expect(sharesOf(softmax(), values)).toEqual(close(best, 100 - best))
    }
    expect(sharesOf(softmax({ temperature: 0.5 }), [2, 1.5])[0]).toBeCloseTo(best, 9)
    expect(sharesOf(softmax(), [1, 2], { direction: 'asc' })[0]).toBeCloseTo(best, 9)
    expect(sharesOf(softmax(), [3, 3])).toEqual([50, 50])
  })

  test('gives all to the best when the others are far behind', () => {
    expect(sharesOf(softmax({ temperature: Number.MIN_VALUE }), [Number.MAX_VALUE, 0, -Number.MAX_VALUE])).toEqual([
      100, 0, 0,
    ])
  })

  test.each([0, -1, Number.NaN])('refuses the temperature %d', (temperature) => {
    expect(() => sharesOf(softmax({ temperature }), [1])).toThrow('is not a positive number')
  })
})

describe("in a contract's own order", () => {
  test('models that it orders against their values share equally, and so do equal ranks', () => {
    expect(sharesOf(proportional(), [1, 3, 6], {}, [1, 2, 3])).toEqual(close(100 / 3, 100 / 3, 100 / 3))
    expect(sharesOf(proportional(), [6, 1, 3], {}, [1, 2, 3])).toEqual(close(60, 20, 20))
    expect(sharesOf(proportional(), [6, 1, 3], {}, [1, 2, 2])).toEqual(close(60, 20, 20))
    expect(sharesOf(proportional(), [1, 3, 2, 4], {}, [1, 2, 2, 4])).toEqual([25, 25, 25, 25])
  })
})

test('a floor is kept, and what the shares depend on is in the parameters', () => {
  const payAbove = { baseline: 'flat' }
  expect(proportional({ payAbove, zeroAt: 1 })).toMatchObject({
    name: 'proportional',
    payAbove,
    parameters: { zeroAt: 1 },
  })
  expect(softmax({ payAbove })).toMatchObject({ name: 'softmax', payAbove, parameters: { temperature: 1 } })
})
