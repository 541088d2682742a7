import { expect, test } from 'vitest'
import type { PeriodResult } from '../../ports/store-periods.ts'
import { periodScores } from './period-scores.ts'

const results = (['valid', 'imputed', 'failed', null] as const).map(
  (scoreKind, index): PeriodResult => ({
    ...{ modelId: `m${index}`, roundId: 'r', performedAt: 1, resolvableAt: 2, missingValue: -3 },
    ...{ predictionStatus: 'SCORED', blame: null, signal: null, actual: null, contractVersion: 1 },
    ...{ scoreKind, value: scoreKind === null || scoreKind === 'failed' ? null : { value: index } },
  }),
)

test('of a row without a score, nothing counts; of a round, its worst valid score', () => {
  const { rounds, byModel } = periodScores({ value: 'value', direction: 'desc' }, results)
  expect(rounds).toEqual([{ performedAt: 1, resolvableAt: 2, worst: 0, missing: -3 }])
  expect(Object.fromEntries(byModel)).toEqual({
    m0: [{ value: 0, isValid: true }],
    m1: [{ value: 1, isValid: false }],
    m2: [null],
    m3: [null],
  })
})
