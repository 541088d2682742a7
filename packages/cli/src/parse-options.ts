import { InvalidArgumentError } from 'commander'

/** A whole number of things. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count <= 100_000) return count
  throw new InvalidArgumentError('Use a whole number up to 100000.')
}

/** A day alone is its beginning, in UTC. */
export function parseTime(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}(T\S+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new InvalidArgumentError('Use a time such as 2015-01-01 or 2015-01-01T12:00:00Z.')
}
