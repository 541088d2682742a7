import { expect, test } from 'vitest'
import { shareProblem } from './share-problem.ts'

const ranks = (...given: number[]) => given.map((rank) => ({ rank }))
const places = (count: number) => ranks(...Array.from({ length: count }, (_, index) => index + 1))

test.each([
  [[60, 60], 'with the sum 100'],
  [[50, 49], 'with the sum 100'],
  [[99.9], 'with the sum 100'],
  [[100.1], 'with the sum 100'],
  [[50.1, 50], 'with the sum 100'],
  [[0, 0], 'with the sum 100'],
  [[110, -10], 'not negative'],
  [[Number.NaN, 100], 'not negative'],
  [[Number.POSITIVE_INFINITY], 'not negative'],
  [['100'], 'not negative'],
])('refuses %j: %s', (shares, rule) => {
  expect(shareProblem(shares, places(shares.length))).toMatch(new RegExp(` \\(sum .*\\), which must be .*${rule}$`))
})

test('refuses values that are not lists, and a number of shares other than that of models', () => {
  expect(shareProblem('100', places(1))).toBe('no list of shares for 1 models')
  expect(shareProblem([50, 50], places(3))).toBe(
    '[50, 50] for 3 models (sum 100), which must be one share for each model',
  )
  expect(shareProblem([50, 50], places(2))).toBeNull()
})

test('refuses more for a worse rank, and different shares of equal ranks, but not what rounding makes of them', () => {
  expect(shareProblem([40, 60], places(2))).toBe(
    '[40, 60] for 2 models (sum 100), where rank 1 gets 40 and rank 2 gets 60: ' +
      'equal ranks must get equal shares, and a worse rank no more than a better one',
  )
  expect(shareProblem([60, 40], ranks(1, 1))).toContain('rank 1 gets 60 and rank 1 gets 40')
  expect(shareProblem([40, 30, 30], ranks(1, 2, 2))).toBeNull()
  expect(shareProblem([50 - 1e-9, 50 + 1e-9], ranks(1, 1))).toBeNull()
  expect(shareProblem([50 + 1e-9, 50 - 1e-9], ranks(1, 1))).toBeNull()
})

test('lists the first shares of many', () => {
  const problem = shareProblem(new Array(5_000).fill(1), places(5_000))
  expect(problem).toContain('1, 1, …] for 5000 models (sum 5000)')
  expect(problem?.length).toBeLessThan(200)
})
