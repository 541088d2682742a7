import { noData, shortNumber } from './numbers.ts'

/** A value of the contract in one line: `12.4`, `mean 12.4, deviation 2.1`, `[0.1, 0.2, … 99 in all]`. */
export function shortValue(value: unknown): string {
  if (value === null || value === undefined) return noData
  if (typeof value === 'number') return shortNumber(value)
  if (Array.isArray(value)) {
    const first = value.slice(0, 3).map(shortValue).join(', ')
    return value.length > 3 ? `[${first}, … ${value.length} in all]` : `[${first}]`
  }
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([name, part]) => `${name} ${shortValue(part)}`)
      .join(', ')
  }
  return String(value)
}
