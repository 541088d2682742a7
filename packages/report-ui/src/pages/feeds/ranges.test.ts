import { expect, it } from 'vitest'
import { countWithin, rangesOf } from './ranges.ts'

const minuteMs = 60_000
/** 200 minutes, newest first. */
const times = Array.from({ length: 200 }, (_, index) => 1e12 - index * minuteMs)

it('offers the ranges that show several values and not all', () => {
  expect(rangesOf(times).map(({ key }) => key)).toEqual(['15m', '1h'])
  expect(rangesOf(times.filter((_, index) => index % 10 === 0)).map(({ key }) => key)).toEqual([])
  expect(rangesOf([])).toEqual([])
})

it('counts back from the newest value, which may be old', () => {
  expect([countWithin(times, 15 * minuteMs), countWithin(times, 1e12), countWithin([], 1)]).toEqual([16, 200, 0])
})
