import { describe, expect, test } from 'vitest'
import { crpsNormal, scorePrediction } from '../src/index.ts'
import { errorFunction } from '../src/scoring.ts'

describe('errorFunction', () => {
  // Abramowitz and Stegun, Handbook of Mathematical Functions, table 7.1; further digits from the C library's erf.
  test.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [-1, -0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [10, 1],
  ])('erf(%d)', (x, expected) => {
    expect(errorFunction(x)).toBeCloseTo(expected, 14)
  })
})

describe('crpsNormal', () => {
  // Results of scoringrules' crps_normal(observation, mu, sigma).
  test.each([
    [{ mean: 0, std: 1 }, 0, 0.23369497725510913],
    [{ mean: 0.2, std: 0.7 }, 1.5, 0.9223530635539529],
  ])('%o against %d', (forecast, observed, expected) => {
    expect(Math.abs(crpsNormal(forecast, observed) / expected - 1)).toBeLessThan(1e-12)
  })

  test('equals the integral of its definition', () => {
    const forecast = { mean: 12, std: 3 }
    const step = 0.001
    let integral = 0
    for (let x = -20; x < 50; x += step) {
      const middle = x + step / 2
      const below = (1 + errorFunction((middle - forecast.mean) / (forecast.std * Math.SQRT2))) / 2
      integral += (below - (middle >= 17 ? 1 : 0)) ** 2 * step
    }
    expect(crpsNormal(forecast, 17)).toBeCloseTo(integral, 5)
  })

  test('approaches the absolute error for a nearly certain forecast', () => {
    expect(crpsNormal({ mean: 10, std: 1e-9 }, 14)).toBeCloseTo(4, 8)
  })

  test('is symmetric, and lowest at the mean', () => {
    const forecast = { mean: 10, std: 2 }
    expect(crpsNormal(forecast, 13)).toBeCloseTo(crpsNormal(forecast, 7), 14)
    expect(crpsNormal(forecast, 10)).toBeLessThan(crpsNormal(forecast, 10.1))
  })

  test('is best for the true spread, and worse for a narrower or wider one', () => {
    const errors = [-3, -1, 0, 1, 3]
    const cost = (std: number) => errors.reduce((sum, error) => sum + crpsNormal({ mean: 0, std }, error), 0)
    expect(cost(2)).toBeLessThan(cost(0.1))
    expect(cost(2)).toBeLessThan(cost(12))
  })

  test.each([0, -1, Number.NaN])('refuses a spread of %d', (std) => {
    expect(() => crpsNormal({ mean: 0, std }, 0)).toThrow(/std must be more than 0/)
  })
})

test('the error is positive if the prediction is too warm', () => {
  expect(scorePrediction({ mean: 12, std: 1 }, 10).error).toBe(2)
})
