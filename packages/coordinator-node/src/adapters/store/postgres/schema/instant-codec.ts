import type { Instant } from '../../../../domain/time.ts'

/** `0001-01-01` and the end of the year 9999: the range of both unsigned ISO 8601 and PostgreSQL. */
const FIRST = Date.UTC(2000, 0, 1) - 63_082_281_600_000
const LAST = Date.UTC(10_000, 0, 1) - 1

const written = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?\+00$/

/** ISO 8601 text of an instant to be stored. Throws a `RangeError` unless it is a whole millisecond of the years 1 to 9999. */
export function encodeInstant(at: Instant): string {
  if (!Number.isSafeInteger(at) || at < FIRST || at > LAST) {
    throw new RangeError(
      `${at} is not an instant: it must be whole milliseconds since 1970, within the years 1 to 9999`,
    )
  }
  return new Date(at).toISOString()
}

export function encodeInstantOrNull(at: Instant | null): string | null {
  return at === null ? null : encodeInstant(at)
}

/** Like {@link encodeInstant}, for a bound of a query, which may lie outside the range of stored instants. */
export function encodeBound(at: Instant): string {
  if (Number.isNaN(at)) throw new RangeError('NaN is not an instant')
  if (at < FIRST) return '-infinity'
  if (at > LAST) return 'infinity'
  return new Date(Math.floor(at)).toISOString()
}

/** Parses PostgreSQL's output with DateStyle ISO and TimeZone UTC: `2026-03-01 10:00:00.123+00`. */
export function decodeInstant(stored: string): Instant {
  // Date.parse would turn even "infinity" into a date, so the format is checked first.
  if (!written.test(stored))
    throw new RangeError(`"${stored}" in the database is not an instant of the years 1 to 9999`)
  return Date.parse(`${stored.slice(0, 10)}T${stored.slice(11)}:00`)
}
