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
  const of = (value: number, kind: string) => ({ value, kind, resolvableAt: 2 })
  expect(rounds).toEqual([{ performedAt: 1, worst: of(0, 'imputed'), missing: of(-3, 'imputed') }])
  expect(Object.fromEntries(byModel)).toEqual({
    m0: [of(0, 'valid')],
    m1: [of(1, 'imputed')],
    m2: [null],
    m3: [null],
  })
})
