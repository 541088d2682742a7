import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { finishWork } from '../../../test/finish-work.ts'
import { type MetricName, type MetricPoint, metrics } from './metrics.ts'

// Test vectors of the Python engine. Where definitions differ, a comment explains why.
const forecast = [0.3, -0.1, 0.5, 0.2, -0.4, 0.1, 0, 0.7, -0.2, 0.4, 0.6, -0.3]
const actual = [0.01, -0.02, 0.03, -0.01, -0.02, 0.02, 0.01, 0.04, -0.03, 0, 0.02, -0.01]

function pointsFrom(signals: readonly (number | null)[], actuals: readonly (number | null)[] = []): MetricPoint[] {
  return signals.map((signal, index) => {
    const known = actuals[index] ?? null
    return { roundId: `round-${index}`, value: (signal ?? 0) * (known ?? 0), signal, actual: known }
  })
}

const values = (list: readonly number[]): MetricPoint[] =>
  list.map((value, index) => ({ roundId: `round-${index}`, value, signal: null, actual: null }))

function compute(name: MetricName, points: readonly MetricPoint[], others: readonly (readonly MetricPoint[])[] = []) {
  return finishWork(metrics[name].compute([points, ...others]))[0]
}

describe('ic', () => {
  test('is the Spearman correlation of signal and actual', () => {
    expect(compute('ic', pointsFrom([1, 2, 3, 4], [1, 2, 4, 3]))).toBeCloseTo(0.8, 12)
    // Ties of the actuals share their average rank, where the Python engine ranks by position and gets 0.7902.
    expect(compute('ic', pointsFrom(forecast, actual))).toBeCloseTo(0.8169216656366384, 12)
  })

  test('omits rounds without a signal or an actual, and is null with fewer than two rounds', () => {
    expect(compute('ic', pointsFrom([1, null, 3, 4], [1, 9, null, 2]))).toBeCloseTo(1, 12)
    expect(compute('ic', pointsFrom([1, null], [1, 2]))).toBeNull()
    expect(compute('ic', [])).toBeNull()
  })
})

describe('hit_rate', () => {
  test('is the share of signals with the sign of the actual', () => {
    expect(compute('hit_rate', pointsFrom([1, 1, -1, -1], [1, -1, -1, 1]))).toBe(0.5)
  })

  test('treats a signal of zero as no direction, which hits only an actual of zero', () => {
    expect(compute('hit_rate', pointsFrom([0, 0, 1], [0, 1, 0]))).toBeCloseTo(1 / 3, 12)
    // The Python engine treats zero as positive and counts 11 of 12; here two more differ because of a zero on one side.
    expect(compute('hit_rate', pointsFrom(forecast, actual))).toBe(9 / 12)
  })

  test('is null without a round that has both signal and actual', () => {
    expect(compute('hit_rate', pointsFrom([1, null], [null, 1]))).toBeNull()
  })
})

describe('max_drawdown', () => {
  test.each([
    [[1, 1, -3, 0.5], -3],
    [[-1, -2], -3],
    [[1, 2, 3], 0],
    [[2, -1, 5, -4, 1, -2], -5],
  ])('of the summed values %j is %d', (list, deepest) => {
    expect(compute('max_drawdown', values(list))).toBe(deepest)
  })

  test('agrees with the Python engine on its vector, and is null without values', () => {
    expect(compute('max_drawdown', pointsFrom(forecast, actual))).toBeCloseTo(-0.0019999999999999983, 15)
    expect(compute('max_drawdown', [])).toBeNull()
  })

  test('is the lowest sum of consecutive values, or 0', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 12 }), (list) => {
        const sums = list.flatMap((_, from) =>
          list
            .slice(from)
            .map((__, length) => list.slice(from, from + length + 1).reduce((sum, value) => sum + value, 0)),
        )
        expect(compute('max_drawdown', values(list))).toBeCloseTo(Math.min(0, ...sums), 12)
      }),
    )
  })
})

describe('model_correlation', () => {
  const own = pointsFrom([1, 2, 3, 4])

  test('is the mean Spearman correlation with each other model', () => {
    const same = pointsFrom([10, 20, 30, 40])
    const opposite = pointsFrom([4, 3, 2, 1])
    expect(compute('model_correlation', own, [same])).toBeCloseTo(1, 12)
    expect(compute('model_correlation', own, [same, opposite])).toBeCloseTo(0, 12)
  })

  test('compares rounds that both models answered', () => {
    const turned = [...pointsFrom([1, 2, 3, 4])].reverse()
    expect(compute('model_correlation', own, [turned])).toBeCloseTo(1, 12)
    const partly = pointsFrom([null, 4, 3, null])
    expect(compute('model_correlation', own, [partly])).toBeCloseTo(-1, 12)
  })

  test('omits models for which it is undefined, and is null without any other model', () => {
    const constant = pointsFrom([1, 1, 1, 1])
    const elsewhere = own.map((point) => ({ ...point, roundId: `other-${point.roundId}` }))
    expect(compute('model_correlation', own, [constant, elsewhere, pointsFrom([1, 2, 3, 4])])).toBeCloseTo(1, 12)
    expect(compute('model_correlation', own, [constant])).toBeNull()
    expect(compute('model_correlation', own, [])).toBeNull()
  })
})
