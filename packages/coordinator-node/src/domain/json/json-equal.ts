import type { Json } from './json.ts'

/** Whether two JSON values are equal, regardless of the order of keys. */
export function jsonEqual(left: Json, right: Json): boolean {
  if (left === right) return true
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const leftEntries = Object.entries(left)
  if (leftEntries.length !== Object.keys(right).length) return false
  const other = right as Readonly<Record<string, Json>>
  for (const [key, value] of leftEntries) {
    if (!Object.hasOwn(other, key) || !jsonEqual(value, other[key] as Json)) return false
  }
  return true
}
