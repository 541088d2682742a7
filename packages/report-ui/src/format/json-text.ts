/** JSON to read: indented, with lists of plain values on one line. */
export function jsonText(value: unknown): string {
  // A line break is never inside of a text of JSON.
  return JSON.stringify(value, null, 2).replace(
    /\[\n([^[\]{}]*)\n\s*\]/g,
    (_, items: string) => `[${items.trim().replace(/\n\s+/g, ' ')}]`,
  )
}
