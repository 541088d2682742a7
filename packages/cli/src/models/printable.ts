/** Text that a model wrote, with what could steer a terminal made visible. Tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === '\t' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The same on one line of at most `maxLength` characters. */
export function oneLine(text: string, maxLength: number): string {
  const line = printable(text.replaceAll(/\s+/g, ' ').trim())
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`
}
