const deepest = 5
const mostFields = 40

/** A value that is a number itself has the name `''`. */
export type NumericFields = ReadonlyMap<string, number>

/** The numbers of a value of the contract, by their place: `mean`, `levels[0].value`. */
export function numericFields(value: unknown): NumericFields {
  const found = new Map<string, number>()
  function collect(part: unknown, place: string, depth: number): void {
    if (found.size >= mostFields || depth > deepest) return
    if (typeof part === 'number') found.set(place, part)
    else if (Array.isArray(part)) {
      for (const [index, item] of part.entries()) collect(item, `${place}[${index}]`, depth + 1)
    } else if (typeof part === 'object' && part !== null) {
      for (const [name, item] of Object.entries(part))
        collect(item, place === '' ? name : `${place}.${name}`, depth + 1)
    }
  }
  collect(value, '', 0)
  return found
}

/** The names of the fields of all values, in the order in which they are met. */
export function fieldNames(values: readonly NumericFields[]): readonly string[] {
  return [...new Set(values.flatMap((fields) => [...fields.keys()]))]
}
