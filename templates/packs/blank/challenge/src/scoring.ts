/** The score of one prediction, on the node and in back-tests: its absolute error. Lower is better, 0 is perfect. */
export function scorePrediction(prediction: { readonly value: number }, actual: number) {
  return { error: Math.abs(prediction.value - actual) }
}
