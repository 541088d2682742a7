// PostgreSQL's text and jsonb accept neither U+0000 nor lone surrogates, which answers of models may contain. They, and the
// private character that marks them, are stored as that character and four hex digits, so every text is restored exactly.

const MARK = '\uf8ff'
const marked = /\uf8ff([0-9a-f]{4})/g
/** The mark, U+0000 and lone surrogates (with the `u` flag, pairs are one character and do not match). */
const unstorable = new RegExp(`${MARK}|\\0|\\p{Surrogate}`, 'gu')
/** In JSON text: each escape as one match, so that an escaped backslash is never taken for the start of another escape. */
const escapes = /\\(?:u([0-9a-f]{4})|.)|\uf8ff/gs

function mark(unit: number): string {
  return MARK + unit.toString(16).padStart(4, '0')
}

export function encodeText(text: string): string {
  return text.replace(unstorable, (character) => mark(character.charCodeAt(0)))
}

export function decodeText(stored: string): string {
  if (!stored.includes(MARK)) return stored
  return stored.replace(marked, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** JSON text that PostgreSQL accepts as json and jsonb. */
export function encodeJson(value: unknown): string {
  const text = JSON.stringify(value)
  if (!text.includes('\\u') && !text.includes(MARK)) return text
  return text.replace(escapes, (found, hex: string | undefined) => {
    if (found === MARK) return mark(MARK.charCodeAt(0))
    if (hex === undefined) return found
    const unit = Number.parseInt(hex, 16)
    return unit === 0 || (unit >= 0xd800 && unit <= 0xdfff) ? mark(unit) : found
  })
}

export function decodeJson(stored: string): unknown {
  if (!stored.includes(MARK)) return JSON.parse(stored)
  return JSON.parse(stored.replace(marked, '\\u$1'))
}
