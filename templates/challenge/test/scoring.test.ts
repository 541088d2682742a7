import { describe, expect, test } from 'vitest'
import { scorePrediction } from '../src/index.ts'

describe('scorePrediction', () => {
  test('is the move in basis points times the position', () => {
    expect(scorePrediction({ value: 1 }, 0.001).value).toBeCloseTo(10, 12)
    expect(scorePrediction({ value: -0.5 }, 0.001).value).toBeCloseTo(-5, 12)
    expect(scorePrediction({ value: -0.5 }, -0.002).value).toBeCloseTo(10, 12)
  })

  test('is a hit if the direction is right, but never without an opinion', () => {
    expect(scorePrediction({ value: 0.1 }, 0.001).hit).toBe(true)
    expect(scorePrediction({ value: 0.1 }, -0.001).hit).toBe(false)
    expect(scorePrediction({ value: 0 }, 0.001)).toEqual({ value: 0, hit: false })
  })
})
