import { describe, expect, test } from 'vitest'
import { scorePrediction } from '../src/index.ts'

describe('scorePrediction', () => {
  test('earns the move in basis points, as large as the position', () => {
    expect(scorePrediction({ value: 1 }, 0.001).value).toBeCloseTo(10, 12)
    expect(scorePrediction({ value: -0.5 }, 0.001).value).toBeCloseTo(-5, 12)
    expect(scorePrediction({ value: -0.5 }, -0.002).value).toBeCloseTo(10, 12)
  })

  test('hits when the direction is right, and not without an opinion', () => {
    expect(scorePrediction({ value: 0.1 }, 0.001).hit).toBe(true)
    expect(scorePrediction({ value: 0.1 }, -0.001).hit).toBe(false)
    expect(scorePrediction({ value: 0 }, 0.001)).toEqual({ value: 0, hit: false })
  })
})
