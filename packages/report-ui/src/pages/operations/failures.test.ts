import { expect, test } from 'vitest'
import { failuresByReason } from './failures.ts'

test('the reasons of all models are added up, the most frequent first', () => {
  const rows: Parameters<typeof failuresByReason>[0] = [
    { counts: { SCORED: 7, ABSENT: 2 }, reasons: { timeout: 2 } },
    { counts: { SCORED: 1, FAILED: 5, ABSENT: 1 }, reasons: { model_error: 5, timeout: 1 } },
    { counts: {}, reasons: {} },
  ]
  expect(failuresByReason(rows)).toEqual({
    rowCount: 16,
    reasons: [
      { reason: 'model_error', count: 5, modelCount: 1 },
      { reason: 'timeout', count: 3, modelCount: 2 },
    ],
  })
  expect(failuresByReason([])).toEqual({ rowCount: 0, reasons: [] })
})
