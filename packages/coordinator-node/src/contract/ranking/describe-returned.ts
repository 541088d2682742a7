/** What an author's function returned, for a message about it. */
export function describeReturned(value: unknown): string {
  if (value instanceof Promise) return 'a promise (contract functions are synchronous)'
  if (typeof value === 'number' || value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 40))}`
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
