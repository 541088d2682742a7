/** Relative moves from each close to the next. */
export function moves(closes: readonly number[]): number[] {
  return closes.slice(1).map((close, index) => close / closes[index]! - 1)
}

/** Root mean square of moves: their usual size. 0 without any. */
export function usualMove(sizes: readonly number[]): number {
  if (sizes.length === 0) return 0
  return Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0) / sizes.length)
}

/** The last close against the one `bars` before it, or against the oldest; 0 when there is nothing to compare. */
export function moveOver(closes: readonly number[], bars: number): number {
  const recent = closes.slice(-bars - 1)
  const first = recent[0]
  const last = recent.at(-1)
  return first === undefined || last === undefined ? 0 : last / first - 1
}
