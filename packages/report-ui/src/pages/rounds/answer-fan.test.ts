import { expect, it } from 'vitest'
import { answerFan, fieldOfTruth } from './answer-fan.ts'

const answers = Array.from({ length: 11 }, (_, index) => 100 + index)

it('goes from the known value to the quantiles of the answers, between question and truth', () => {
  const fan = answerFan([0, 10, 20, 30, 40], { askedAt: 10, truthAt: 30, entry: 95 }, answers)
  expect(fan).toEqual({
    middle: [null, 95, 100, 105, null],
    low: [null, 95, 98, 101, null],
    high: [null, 95, 102, 109, null],
  })
})

it('is drawn over the field with the value of the truth, and over none if no field has it', () => {
  const record = new Map([
    ['wind', 2.2],
    ['temp_max', 22.2],
  ])
  expect(fieldOfTruth(record, 22.2)).toBe('temp_max')
  expect(fieldOfTruth(record, 0.01)).toBeUndefined()
  expect([fieldOfTruth(undefined, 22.2), fieldOfTruth(record, null)]).toEqual([undefined, undefined])
})
