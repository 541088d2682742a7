import fc from 'fast-check'
import { expect, test } from 'vitest'
import { divideExactly } from './divide-exactly.ts'

test('gives the units left over to the largest remainders, then to the larger weight, then to the first', () => {
  expect(divideExactly(10, [61, 39])).toEqual([6, 4])
  expect(divideExactly(10, [1, 1, 1])).toEqual([4, 3, 3])
  expect(divideExactly(7, [3, 1, 1, 1])).toEqual([4, 1, 1, 1])
  expect(divideExactly(1, [1, 2])).toEqual([0, 1])
  expect(divideExactly(0, [5])).toEqual([0])
  expect(divideExactly(Number.MAX_SAFE_INTEGER, [1, 0, 1])).toEqual([2 ** 52, 0, 2 ** 52 - 1])
})

test.each([
  [1, []],
  [1, [0, 0]],
  [1, [2, -1]],
  [-1, [1]],
  [0.5, [1]],
  [1, [0.5]],
  [2 ** 53, [1]],
])('cannot divide %d by %j', (total, weights) => {
  expect(() => divideExactly(total, weights)).toThrow(RangeError)
})

test('divides any total by any weights: exact, never negative, and in the order of the weights', () => {
  const weight = fc.oneof(fc.constantFrom(0, 1, 7), fc.maxSafeNat())
  const weights = fc.array(weight, { minLength: 1, maxLength: 12 }).filter((list) => list.some((one) => one > 0))
  fc.assert(
    fc.property(fc.maxSafeNat(), weights, (total, list) => {
      const parts = divideExactly(total, list)
      expect(parts.reduce((sum, part) => sum + BigInt(part), 0n)).toBe(BigInt(total))
      const all = list.reduce((sum, one) => sum + BigInt(one), 0n)
      for (const [index, part] of parts.entries()) {
        const floor = (BigInt(total) * BigInt(list[index] ?? 0)) / all
        expect([floor, floor + 1n]).toContain(BigInt(part))
        for (const [other, otherPart] of parts.entries()) {
          if ((list[other] ?? 0) < (list[index] ?? 0)) expect(otherPart).toBeLessThanOrEqual(part)
          if (list[other] === list[index]) expect(Math.abs(otherPart - part)).toBeLessThanOrEqual(1)
        }
      }
    }),
  )
})
