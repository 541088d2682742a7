import { closest, distance } from 'fastest-levenshtein'

/** Comparing takes the product of the lengths, and names can come from anyone. */
const maxLength = 200

/** The known name that a typo most likely meant; `undefined` when none is close, or the name is longer than any sensible one. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name.length > maxLength) return undefined
  const nearest = closest(name, known)
  return distance(name, nearest) <= Math.max(2, Math.floor(name.length / 3)) ? nearest : undefined
}
