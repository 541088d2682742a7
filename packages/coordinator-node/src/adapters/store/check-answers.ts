import type { Prediction } from '../../domain/prediction.ts'
import { compareText } from './compare-text.ts'

/** The answers of a round ordered by model id. Throws an `Error` for an answer of another round or a model's second answer. */
export function answersInOrder(roundId: string, predictions: readonly Prediction[]): Prediction[] {
  const ordered = [...predictions].sort((left, right) => compareText(left.modelId, right.modelId))
  for (const [index, prediction] of ordered.entries()) {
    if (prediction.roundId !== roundId) {
      throw new Error(`prediction "${prediction.id}" is of round "${prediction.roundId}", not of "${roundId}"`)
    }
    if (index > 0 && ordered[index - 1]?.modelId === prediction.modelId) {
      throw new Error(`round "${roundId}" has two answers of model "${prediction.modelId}"`)
    }
  }
  return ordered
}

/** Replaces a valid answer that reaches the store after its truth could be known. */
export const storedLate = {
  status: 'ABSENT',
  output: null,
  reason: 'stored_late',
  blame: 'coordinator',
  detail: 'this node stored the answer too late: the truth could be known by then',
} as const
