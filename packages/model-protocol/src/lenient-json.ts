/** Deeper nesting is refused before it can exhaust the stack. */
const MAX_DEPTH = 500

/** Longer integers are refused, as in Python: converting digits to a number takes more than linear time. */
const MAX_INTEGER_DIGITS = 4300

/** An integer value of 16 digits or more, which JSON.parse would round silently. */
const LONG_INTEGER = /(?:^|[\s:,[])-?\d{16,}(?![\d.eE])/
const NON_FINITE_WORD = /NaN|Infinity/
const NUMBER = /-?(?:Infinity|(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y
const WHITESPACE = /[ \t\n\r]*/y

/**
 * Parses JSON as Python writes it: bare `NaN`, `Infinity` and `-Infinity` become numbers, and integers that a number
 * cannot represent exactly become bigints. Ordinary JSON is parsed natively. Throws a SyntaxError.
 */
export function parseLenientJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) {
    try {
      return JSON.parse(text)
    } catch (error) {
      if (!NON_FINITE_WORD.test(text)) throw error
    }
  }
  const reader: Reader = { text, at: 0 }
  const value = readValue(reader, 0)
  skipWhitespace(reader)
  if (reader.at < text.length) throw unexpected(reader)
  return value
}

interface Reader {
  readonly text: string
  at: number
}

function readValue(reader: Reader, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new SyntaxError(`JSON is nested deeper than ${MAX_DEPTH} levels`)
  skipWhitespace(reader)
  switch (reader.text[reader.at]) {
    case '{':
      return readObject(reader, depth)
    case '[':
      return readArray(reader, depth)
    case '"':
      return readString(reader)
    case 't':
      return readWord(reader, 'true', true)
    case 'f':
      return readWord(reader, 'false', false)
    case 'n':
      return readWord(reader, 'null', null)
    case 'N':
      return readWord(reader, 'NaN', Number.NaN)
    default:
      return readNumber(reader)
  }
}

function readObject(reader: Reader, depth: number): unknown {
  const entries: [string, unknown][] = []
  reader.at += 1
  skipWhitespace(reader)
  if (take(reader, '}')) return {}
  for (;;) {
    skipWhitespace(reader)
    if (reader.text[reader.at] !== '"') throw unexpected(reader)
    const key = readString(reader)
    skipWhitespace(reader)
    if (!take(reader, ':')) throw unexpected(reader)
    entries.push([key, readValue(reader, depth + 1)])
    skipWhitespace(reader)
    // fromEntries defines properties, so a key named __proto__ stays an ordinary key.
    if (take(reader, '}')) return Object.fromEntries(entries)
    if (!take(reader, ',')) throw unexpected(reader)
  }
}

function readArray(reader: Reader, depth: number): unknown[] {
  const items: unknown[] = []
  reader.at += 1
  skipWhitespace(reader)
  if (take(reader, ']')) return items
  for (;;) {
    items.push(readValue(reader, depth + 1))
    skipWhitespace(reader)
    if (take(reader, ']')) return items
    if (!take(reader, ',')) throw unexpected(reader)
  }
}

function readString(reader: Reader): string {
  let end = reader.at
  do {
    end = reader.text.indexOf('"', end + 1)
    if (end === -1) throw new SyntaxError(`Unterminated string in JSON at position ${reader.at}`)
  } while (isEscaped(reader.text, end, reader.at))
  const value: string = JSON.parse(reader.text.slice(reader.at, end + 1))
  reader.at = end + 1
  return value
}

/** A quote is escaped if an odd number of backslashes precedes it. */
function isEscaped(text: string, quoteAt: number, from: number): boolean {
  let at = quoteAt - 1
  while (at > from && text[at] === '\\') at -= 1
  return (quoteAt - at) % 2 === 0
}

function readNumber(reader: Reader): number | bigint {
  NUMBER.lastIndex = reader.at
  const found = NUMBER.exec(reader.text)?.[0]
  if (found === undefined) throw unexpected(reader)
  const startedAt = reader.at
  reader.at += found.length
  const number = Number(found)
  if (Number.isSafeInteger(number) || !/^-?\d+$/.test(found)) return number
  // An integer that JavaScript prints with the same digits is represented exactly.
  if (String(number) === found) return number
  if (found.length > MAX_INTEGER_DIGITS) {
    throw new SyntaxError(`Integer of more than ${MAX_INTEGER_DIGITS} digits in JSON at position ${startedAt}`)
  }
  return BigInt(found)
}

function readWord<T>(reader: Reader, word: string, value: T): T {
  if (!reader.text.startsWith(word, reader.at)) throw unexpected(reader)
  reader.at += word.length
  return value
}

function take(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false
  reader.at += 1
  return true
}

function skipWhitespace(reader: Reader): void {
  WHITESPACE.lastIndex = reader.at
  WHITESPACE.test(reader.text)
  reader.at = WHITESPACE.lastIndex
}

function unexpected(reader: Reader): SyntaxError {
  const found = reader.text[reader.at]
  return found === undefined
    ? new SyntaxError('Unexpected end of JSON')
    : new SyntaxError(`Unexpected ${JSON.stringify(found)} in JSON at position ${reader.at}`)
}
