/** Rank correlation of pairs; `null` if one side is constant. */
export function spearman(pairs: readonly (readonly [number, number])[]): number | null {
  const left = ranks(pairs.map(([value]) => value))
  const right = ranks(pairs.map(([, value]) => value))
  const middle = (pairs.length + 1) / 2
  const product = (first: readonly number[], second: readonly number[]) =>
    first.reduce((sum, rank, index) => sum + (rank - middle) * ((second[index] ?? 0) - middle), 0)
  const spread = product(left, left) * product(right, right)
  return spread === 0 ? null : product(left, right) / Math.sqrt(spread)
}

/** Equal values share the mean of their places. */
function ranks(values: readonly number[]): readonly number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length
    const equal = values.filter((other) => other === value).length
    return below + (equal + 1) / 2
  })
}
