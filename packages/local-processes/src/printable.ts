/**
 * What does not show, or steers what shows: control characters (ESC, CR, BEL, DEL, C1), marks of direction, characters of no
 * width, separators that break lines, halves of surrogate pairs.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu

/** Whether a text shows as what it is, on one line: what a name has to be. */
export function isPrintable(text: string): boolean {
  return text.search(unprintable) < 0
}

/** Text that anyone may have written, with what could steer a terminal made visible. Tabs stay; colours do not. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => (character === '\t' ? character : escaped(character)))
}

/** The same for text of several lines. What is escaped within JSON is still JSON of the same value. */
export function printableLines(text: string): string {
  return text.replaceAll(unprintable, (character) => (/[\t\n]/.test(character) ? character : escaped(character)))
}

/** Each half of a pair by itself, as JSON has it. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
