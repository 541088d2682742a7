import type { Prediction } from './question.ts'

/**
 * What one prediction scores: node and participants use this same function. `value` is what a position of that size
 * earned, in basis points before costs; `hit` says whether its direction was right.
 * @param actualReturn price at the horizon / price at the prediction - 1
 */
export function scorePrediction(prediction: Prediction, actualReturn: number): { value: number; hit: boolean } {
  return {
    value: prediction.value * actualReturn * 10_000,
    hit: Math.sign(prediction.value) === Math.sign(actualReturn),
  }
}
