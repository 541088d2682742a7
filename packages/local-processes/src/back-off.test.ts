import { expect, it } from 'vitest'
import { backOffMs, scatteredBackOffMs } from './back-off.ts'

const backOff = { firstMs: 250, longestMs: 10_000 }

it('doubles the wait with each failure, up to the longest', () => {
  expect([1, 2, 3, 6, 7, 5_000].map((failures) => backOffMs(failures, backOff))).toEqual([
    250, 500, 1_000, 8_000, 10_000, 10_000,
  ])
})

it('randomises half of the wait', () => {
  expect([0, 0.5, 1].map((luck) => scatteredBackOffMs(2, backOff, () => luck))).toEqual([250, 375, 500])
})
