import { InvalidArgumentError } from 'commander'

/** A whole number of things. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count <= 100_000) return count
  throw new InvalidArgumentError('Use a whole number up to 100000.')
}
