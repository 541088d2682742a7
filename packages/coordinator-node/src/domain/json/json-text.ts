import { toJson } from './json.ts'

/**
 * The text of a value as JSON, in the order of its keys, without a copy of it. Throws the `TypeError` of {@link toJson} for what
 * JSON cannot represent and `JSON.stringify` would silently change.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(isJson(value, 0) ? value : toJson(value))
}

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth >= 64) return false
  if (Array.isArray(value)) {
    // A loop and not `every`, which leaves out holes.
    for (let index = 0; index < value.length; index += 1) if (!isJson(value[index], depth + 1)) return false
    return true
  }
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const key in value) {
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (item !== undefined && !isJson(item, depth + 1)) return false
  }
  return true
}
