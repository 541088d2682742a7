import { expect, test } from 'vitest'
import { resolvedContract } from '../../../test/sample-contract.ts'
import type { PeriodResult } from '../../ports/store-periods.ts'
import { minute } from '../../ports/store-samples.ts'
import { periodRounds } from './period-rounds.ts'

const period = { start: minute(0), end: minute(10) }

const result = (modelId: string, at: number, value: number | null, rest: Partial<PeriodResult> = {}): PeriodResult => ({
  modelId,
  roundId: `round-${at}`,
  performedAt: minute(at - 5),
  resolvableAt: minute(at),
  missingValue: null,
  predictionStatus: 'SCORED',
  blame: null,
  contractVersion: 1,
  scoreKind: value === null ? null : 'valid',
  value: value === null ? null : { value },
  signal: null,
  actual: null,
  ...rest,
})

const roundsOf = (results: readonly PeriodResult[], direction: 'asc' | 'desc' = 'desc') =>
  periodRounds(resolvedContract({ leaderboard: { direction } }), period, results)

test('counts every round once, whatever its result', () => {
  const absent = { predictionStatus: 'ABSENT', blame: 'coordinator' } as const
  const results = [result('a', 1, 2), result('b', 1, 3), result('a', 2, null, absent), result('a', 3, 1)]
  expect(roundsOf(results)).toMatchObject({ periodStart: minute(0), periodEnd: minute(10), roundCount: 3 })
  expect(roundsOf([])).toEqual({
    periodStart: minute(0),
    periodEnd: minute(10),
    roundCount: 0,
    worst: { sum: 0, count: 0 },
    missing: { sum: 0, count: 0 },
    firstPerformedAt: minute(10),
  })
})

test('sums the worst valid score of each round, the highest if lower is better', () => {
  const given = { scoreKind: 'imputed' } as const
  const results = [result('a', 1, 2), result('b', 1, -3), result('c', 1, -99, given), result('a', 2, 0.5)]
  expect(roundsOf(results).worst).toEqual({ sum: -2.5, count: 2 })
  expect(roundsOf([...results, result('c', 2, 99, given)], 'asc').worst).toEqual({ sum: 2.5, count: 2 })
})

test('sums the score of a missing answer once per round, and has the time of the first round', () => {
  const results = [
    ...[result('a', 7, 2, { missingValue: -4 }), result('b', 7, 1, { missingValue: -4 })],
    ...[result('a', 8, 2), result('a', 9, 2, { missingValue: 1.5, performedAt: minute(-60) })],
  ]
  expect(roundsOf(results)).toMatchObject({ missing: { sum: -2.5, count: 2 }, firstPerformedAt: minute(-60) })
})
