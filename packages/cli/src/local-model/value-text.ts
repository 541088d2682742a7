/** A mark that JSON writes as an escape, around numbers that JSON cannot hold. */
const MARK = '\0'
const MARKED = /"\\u0000(-?\w+)\\u0000"/g

/** A value for a reader: JSON, with NaN, infinities and integers beyond 2^53 written as numbers. */
export function valueText(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    const isUnusual = typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner))
    return isUnusual ? `${MARK}${inner}${MARK}` : inner
  })
  return text?.replaceAll(MARKED, '$1') ?? String(value)
}
