import { expect, test } from 'vitest'
import { scorePrediction } from '../src/index.ts'

test('the score is the absolute error', () => {
  expect(scorePrediction({ value: 3 }, 5)).toEqual({ error: 2 })
  expect(scorePrediction({ value: 5 }, 3)).toEqual({ error: 2 })
})
