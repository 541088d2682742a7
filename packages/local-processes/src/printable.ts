/**
 * Characters that are invisible or control a terminal: control characters (ESC, CR, BEL, DEL, C1), direction marks,
 * zero-width characters, line separators, halves of surrogate pairs.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu

/** Whether a text is one line of visible characters, as a name must be. */
export function isPrintable(text: string): boolean {
  return text.search(unprintable) < 0
}

/** Makes untrusted text safe for a terminal: escapes every unprintable character, including colours, except tabs. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => (character === '\t' ? character : escaped(character)))
}

/** As {@link printable}, but keeps line breaks. Escaped JSON is still JSON of the same value. */
export function printableLines(text: string): string {
  return text.replaceAll(unprintable, (character) => (/[\t\n]/.test(character) ? character : escaped(character)))
}

/** Escapes each UTF-16 unit by itself, as JSON does. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
