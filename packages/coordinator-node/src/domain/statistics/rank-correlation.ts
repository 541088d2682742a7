/** Ranks from 1, equal values sharing their average rank. */
export function averageRanks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((left, right) => (values[left] ?? 0) - (values[right] ?? 0))
  const ranks = new Array<number>(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start
    while (end + 1 < order.length && values[order[end + 1] ?? 0] === values[order[start] ?? 0]) end += 1
    for (let index = start; index <= end; index += 1) ranks[order[index] ?? 0] = (start + end) / 2 + 1
    start = end + 1
  }
  return ranks
}

/** Pearson's correlation; `null` for fewer than two pairs, or when one side is constant or too small to vary in a double. */
export function correlation(left: readonly number[], right: readonly number[]): number | null {
  const count = left.length
  if (count < 2 || isConstant(left) || isConstant(right)) return null
  const leftMean = left.reduce((sum, value) => sum + value, 0) / count
  const rightMean = right.reduce((sum, value) => sum + value, 0) / count
  let covariance = 0
  let leftSquares = 0
  let rightSquares = 0
  for (let index = 0; index < count; index += 1) {
    const leftDistance = (left[index] ?? 0) - leftMean
    const rightDistance = (right[index] ?? 0) - rightMean
    covariance += leftDistance * rightDistance
    leftSquares += leftDistance * leftDistance
    rightSquares += rightDistance * rightDistance
  }
  const scale = Math.sqrt(leftSquares * rightSquares)
  return scale === 0 ? null : covariance / scale
}

/** Compared as given: a mean that is rounded would leave a constant side a little variance. */
function isConstant(values: readonly number[]): boolean {
  return values.every((value) => value === values[0])
}

/** Spearman's correlation: Pearson's of average ranks. */
export function rankCorrelation(left: readonly number[], right: readonly number[]): number | null {
  return correlation(averageRanks(left), averageRanks(right))
}
