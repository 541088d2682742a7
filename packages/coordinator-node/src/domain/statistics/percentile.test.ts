import { expect, it } from 'vitest'
import { percentile } from './percentile.ts'

it.each([
  [[], 0.5, null],
  [[7], 0.95, 7],
  [[1, 2], 0.5, 1.5],
  [[1, 2, 3], 0.5, 2],
  [[10, 20, 30, 40, 50], 0.95, 48],
  [[1, 2, 3], 1, 3],
  [[1, 2, 3], 0, 1],
])('of %j at %f is %f', (sorted, share, expected) => {
  expect(percentile(sorted, share)).toBe(expected)
})
