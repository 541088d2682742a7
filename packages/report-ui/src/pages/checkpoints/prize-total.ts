/** A sum of tokens in micro-units, `0.25` → 250000, exact; null for a text that is none or that the route does not take. */
export function microUnits(text: string): number | null {
  const found = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim().replaceAll(',', ''))
  if (found === null) return null
  return Number(`${found[1]}${(found[2] ?? '').padEnd(6, '0')}`)
}
