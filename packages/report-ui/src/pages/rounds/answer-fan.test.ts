import { expect, it } from 'vitest'
import { answerFan, isInUnitOf } from './answer-fan.ts'

const answers = Array.from({ length: 11 }, (_, index) => 100 + index)

it('goes from the known value to the quantiles of the answers, between question and truth', () => {
  const fan = answerFan([0, 10, 20, 30, 40], { askedAt: 10, truthAt: 30, entry: 95 }, answers)
  expect(fan).toEqual({
    middle: [null, 95, 100, 105, null],
    low: [null, 95, 98, 101, null],
    high: [null, 95, 102, 109, null],
  })
})

it('is drawn only where the answers are in the unit of the series', () => {
  expect(isInUnitOf([90, 110], answers)).toBe(true)
  expect(isInUnitOf([90, 110], [0.001, -0.002])).toBe(false)
  // A single answer far away changes nothing.
  expect(isInUnitOf([90, 110], [...answers, 1e12])).toBe(true)
  expect(isInUnitOf([100], answers.slice(0, 1))).toBe(true)
  expect(isInUnitOf([], answers)).toBe(false)
})
