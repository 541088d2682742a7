import { groupBy } from '../group-by.ts'

/**
 * The rank of each value, in the order of `values`: 1 for the lowest. Equal values share their average rank, as in SciPy's
 * `rankdata(method='average')`. Throws a `RangeError` for a NaN.
 * @example averageRanks([30, 10, 10]) // [3, 1.5, 1.5]
 */
export function averageRanks(values: readonly number[]): number[] {
  refuse(values, Number.isNaN)
  const places = groupBy(values.entries(), ([, value]) => value)
  const ranks = new Array<number>(values.length)
  let lower = 0
  for (const [, tied] of [...places].sort(([left], [right]) => left - right)) {
    for (const [index] of tied) ranks[index] = lower + (tied.length + 1) / 2
    lower += tied.length
  }
  return ranks
}

/**
 * Pearson's product-moment correlation of the pairs `left[i]`, `right[i]`: Σ(x - x̄)(y - ȳ) / √(Σ(x - x̄)² Σ(y - ȳ)²), from -1 to 1,
 * without a unit. `null` for fewer than two pairs, or when one side is constant or too small to vary in a double. Throws a
 * `RangeError` for lists of different lengths, NaN and infinities. Source: Pearson, "Notes on regression and inheritance in the case
 * of two parents", Proceedings of the Royal Society of London 58 (1895).
 */
export function correlation(left: readonly number[], right: readonly number[]): number | null {
  if (left.length !== right.length) {
    throw new RangeError(
      `a correlation needs pairs: there are ${left.length} values on the left, ${right.length} on the right`,
    )
  }
  for (const values of [left, right]) refuse(values, (value) => !Number.isFinite(value))
  const count = left.length
  if (count < 2 || isConstant(left) || isConstant(right)) return null
  const leftMean = left.reduce((sum, value) => sum + value, 0) / count
  const rightMean = right.reduce((sum, value) => sum + value, 0) / count
  let covariance = 0
  let leftSquares = 0
  let rightSquares = 0
  for (const [index, leftValue] of left.entries()) {
    const leftDistance = leftValue - leftMean
    const rightDistance = (right[index] as number) - rightMean
    covariance += leftDistance * rightDistance
    leftSquares += leftDistance * leftDistance
    rightSquares += rightDistance * rightDistance
  }
  const scale = Math.sqrt(leftSquares * rightSquares)
  return scale === 0 ? null : covariance / scale
}

function refuse(values: readonly number[], isWrong: (value: number) => boolean): void {
  const index = values.findIndex(isWrong)
  if (index >= 0) throw new RangeError(`value ${index} is ${values[index]}: leave out what is not a number`)
}

/** Compared as given: a mean that is rounded would leave a constant side a little variance. */
function isConstant(values: readonly number[]): boolean {
  return values.every((value) => value === values[0])
}

/**
 * Spearman's rank correlation of the pairs `left[i]`, `right[i]`: Pearson's correlation of their average ranks, from -1 to 1,
 * without a unit. `null` as for {@link correlation}; throws a `RangeError` for lists of different lengths and for a NaN. Source: Spearman, "The proof and measurement of association
 * between two things", American Journal of Psychology 15 (1904); equal to SciPy's `spearmanr`.
 */
export function rankCorrelation(left: readonly number[], right: readonly number[]): number | null {
  return correlation(averageRanks(left), averageRanks(right))
}
