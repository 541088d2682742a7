/**
 * Adds two finite numbers; a sum beyond the largest double stays at it, so that an absurd score can never become the
 * infinity that JSON writes as null.
 */
export function addFinite(left: number, right: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, left + right))
}
