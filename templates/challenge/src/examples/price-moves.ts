/** The relative moves between consecutive closes. */
export function moves(closes: readonly number[]): number[] {
  return closes.slice(1).map((close, index) => close / closes[index]! - 1)
}

/** Root mean square of moves, which is their typical size; 0 without moves. */
export function usualMove(sizes: readonly number[]): number {
  if (sizes.length === 0) return 0
  return Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0) / sizes.length)
}

/** The relative move from the close `bars` ago, or the oldest, to the last; 0 with fewer than two closes. */
export function moveOver(closes: readonly number[], bars: number): number {
  const recent = closes.slice(-bars - 1)
  const first = recent[0]
  const last = recent.at(-1)
  return first === undefined || last === undefined ? 0 : last / first - 1
}
