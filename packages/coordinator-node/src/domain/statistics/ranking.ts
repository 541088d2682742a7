import type { Direction } from '../leaderboard.ts'

/** An item with its value and rank: 1 is best; equal values share a rank (1, 2, 2, 4); `null` without a value. */
export type Ranked<Item> = { readonly item: Item } & (
  | { readonly value: number; readonly rank: number }
  | { readonly value: null; readonly rank: null }
)

/** Orders by rank; those without one come last. */
export function compareRanks(left: number | null, right: number | null): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null)
  return left - right
}

/** Ranks items by value; those without one come last, unranked. The order of equal items is that of `keyFor`. */
export function rankByValue<Item>(
  items: readonly Item[],
  valueFor: (item: Item) => number | null,
  keyFor: (item: Item) => string,
  direction: Direction,
): Ranked<Item>[] {
  const sign = direction === 'desc' ? -1 : 1
  const sorted = [...items].sort((left, right) => {
    const leftValue = valueFor(left)
    const rightValue = valueFor(right)
    if (leftValue !== rightValue) {
      if (leftValue === null) return 1
      if (rightValue === null) return -1
      return sign * (leftValue - rightValue)
    }
    return keyFor(left) < keyFor(right) ? -1 : 1
  })
  let rank = 0
  let previous: number | null = null
  return sorted.map((item, index) => {
    const value = valueFor(item)
    if (value === null) return { item, value, rank: null }
    if (value !== previous) rank = index + 1
    previous = value
    return { item, value, rank }
  })
}
