import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countTurns, finishWork } from '../../../test/finish-work.ts'
import { meanRankCorrelations as correlations, type ValuesByRound } from './mean-rank-correlations.ts'
import { rankCorrelation } from './rank-correlation.ts'

const meanRankCorrelations = (models: readonly ValuesByRound[]) => finishWork(correlations(models))

const model = (...values: readonly (number | null)[]): ValuesByRound =>
  new Map(values.flatMap((value, round) => (value === null ? [] : [[`round-${round}`, value] as const])))

test('is the mean of the correlations with all other models', () => {
  expect(meanRankCorrelations([model(1, 2, 3, 4), model(10, 20, 30, 40), model(4, 3, 2, 1)])).toEqual([0, 0, -1])
})

test('ranks each pair within their common rounds', () => {
  expect(meanRankCorrelations([model(1, 9, 2, 3), model(1, null, 2, 3)])).toEqual([1, 1])
  expect(meanRankCorrelations([model(1, 2, 3, 4), model(null, 4, 3, null)])).toEqual([-1, -1])
})

test('omits undefined pairs, and is null without defined ones', () => {
  expect(meanRankCorrelations([model(1, 2, 3), model(5, 5, 5), model(1, 2, 3), model(null, null, 3)])).toEqual([
    1,
    null,
    1,
    null,
  ])
  expect(meanRankCorrelations([model(1, 2, 3)])).toEqual([null])
  expect(meanRankCorrelations([])).toEqual([])
})

test('gives turns to other work with many models', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => model(1, index, 2, 3, 5, 8, 13, 21, 34, 55))
  expect(countTurns(correlations(many(20)))).toBe(0)
  // 500,000 pairs of ten rounds.
  expect(countTurns(correlations(many(1_000)))).toBe(12)
})

const anyModel = fc
  .array(fc.option(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true }))), {
    minLength: 6,
    maxLength: 6,
  })
  .map((values) => model(...values))

test('equals the mean of rankCorrelation exactly', () => {
  fc.assert(
    fc.property(fc.array(anyModel, { maxLength: 7 }), (models) => {
      expect(meanRankCorrelations(models)).toEqual(models.map((own) => meanOfPairs(own, models)))
    }),
  )
})

function meanOfPairs(own: ValuesByRound, models: readonly ValuesByRound[]): number | null {
  const correlations = models.flatMap((other) => {
    if (other === own) return []
    const shared = [...own].filter(([roundId]) => other.has(roundId))
    const value = rankCorrelation(
      shared.map(([, signal]) => signal),
      shared.map(([roundId]) => other.get(roundId) ?? Number.NaN),
    )
    return value === null ? [] : [value]
  })
  return correlations.length === 0 ? null : correlations.reduce((sum, value) => sum + value, 0) / correlations.length
}
