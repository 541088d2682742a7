/** Encloses numbers that JSON cannot represent, so that their quotes can be removed afterwards. */
const MARK = '\0'
const MARKED = /"\\u0000(-?\w+)\\u0000"/g

/** JSON for people: NaN, infinities and integers beyond 2^53 are written as numbers. */
export function valueText(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    const isUnusual = typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner))
    return isUnusual ? `${MARK}${inner}${MARK}` : inner
  })
  return text?.replaceAll(MARKED, '$1') ?? String(value)
}
