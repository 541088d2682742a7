import { expect, test } from 'vitest'
import { refusedScores } from './refusal.ts'

test('the refused scores of a round have the reason of the first model by id, in whatever order they are stored', () => {
  const scores = ['c', 'a', 'b', 'd'].map((modelId) => ({
    modelId,
    reason: modelId === 'd' ? null : `NaN for ${modelId}`,
  }))
  expect(refusedScores(scores)).toEqual({ count: 3, of: 4, reason: 'NaN for a' })
  expect(refusedScores(scores.toReversed())).toEqual({ count: 3, of: 4, reason: 'NaN for a' })
  expect(refusedScores([{ modelId: 'a', reason: null }])).toBeNull()
})
