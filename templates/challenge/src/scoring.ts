/**
 * The score of one prediction, on the node and in back-tests. `value` is the return of a position of that size, in basis points
 * before costs; `hit` tells whether its direction was right.
 * @param position the `value` of the prediction, -1 to 1
 * @param actualReturn price at the horizon / price at the prediction - 1
 */
export function scorePrediction({ value: position }: { readonly value: number }, actualReturn: number) {
  return {
    value: position * actualReturn * 10_000,
    hit: Math.sign(position) === Math.sign(actualReturn),
  }
}
