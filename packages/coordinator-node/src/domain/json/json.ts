/** A JSON value. Numbers are finite: NaN and infinities never reach a table or an API. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json
}

/**
 * Converts an unknown value to JSON. Keys whose value is `undefined` are dropped, `-0` becomes `0`. Values that JSON cannot
 * represent (NaN, infinities, functions, bigints, class instances, more than 64 levels) throw a `TypeError` that names the
 * path.
 */
export function toJson(value: unknown, path = '$'): Json {
  return convert(value, path, 0)
}

/** Like {@link toJson}, for a value that must be an object. */
export function toJsonObject(value: unknown, path = '$'): JsonObject {
  const json = toJson(value, path)
  if (json === null || typeof json !== 'object' || isJsonArray(json)) throw new TypeError(`${path} is not an object`)
  return json
}

export function isJsonArray(json: Json): json is readonly Json[] {
  return Array.isArray(json)
}

function convert(value: unknown, path: string, depth: number): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${path} is ${value}, which JSON cannot represent`)
    return value === 0 ? 0 : value
  }
  if (typeof value !== 'object') throw new TypeError(`${path} is a ${typeof value}, which JSON cannot represent`)
  if (depth >= 64) throw new TypeError(`${path} is nested more than 64 levels deep`)
  // Unlike `map`, `from` also visits array holes, which JSON cannot represent either.
  if (Array.isArray(value)) return Array.from(value, (item, index) => convert(item, `${path}[${index}]`, depth + 1))
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${path} is a ${value.constructor?.name ?? 'class instance'}, which JSON cannot represent`)
  }
  const members = Object.entries(value).filter(([, item]) => item !== undefined)
  // Stores do not preserve the order of keys, and sums over values must not depend on the store.
  members.sort(([left], [right]) => (left < right ? -1 : 1))
  // Assigning to a key named `__proto__` would set the prototype; this defines the key.
  return Object.fromEntries(members.map(([key, item]) => [key, convert(item, `${path}.${key}`, depth + 1)]))
}
