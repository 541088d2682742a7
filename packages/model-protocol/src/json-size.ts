/** The limits of a value that is decoded. */
export interface ValueLimits {
  /** Each number, text, boolean, null, list and object counts as one; keys do not count. */
  readonly maxValues: number
  /** The length of all texts and keys together. */
  readonly maxCharacters: number
  /** The nesting depth of lists and objects. */
  readonly maxDepth: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c

/**
 * Returns which limit the JSON exceeds, as text; `undefined` if none. This scan stops at the limit and costs a hundredth of parsing
 * per byte. Invalid JSON is left to the parser.
 */
export function jsonExcess(
  bytes: Uint8Array,
  { maxValues, maxDepth }: Pick<ValueLimits, 'maxValues' | 'maxDepth'>,
): string | undefined {
  let depth = 0
  /** Counts keys too, until their colon is found. */
  let values = 0
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at]!
    at += 1
    if (isSpace(byte) || byte === COMMA) continue
    if (byte === COLON) {
      values -= 1
      continue
    }
    if (isClosing(byte)) {
      depth -= 1
      continue
    }
    values += 1
    if (values > maxValues + 1) break
    if (byte === QUOTE) at = endOfText(bytes, at)
    else if (isOpening(byte)) {
      depth += 1
      if (depth > maxDepth) return `is nested more than ${maxDepth} levels deep`
    } else {
      while (at < bytes.length && !endsScalar(bytes[at]!)) at += 1
    }
  }
  return values > maxValues ? `holds more than ${maxValues} values` : undefined
}

function endOfText(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at + 1
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isOpening(byte: number): boolean {
  return byte === 0x5b || byte === 0x7b
}

function isClosing(byte: number): boolean {
  return byte === 0x5d || byte === 0x7d
}

function endsScalar(byte: number): boolean {
  return isSpace(byte) || isClosing(byte) || isOpening(byte) || byte === COMMA || byte === COLON || byte === QUOTE
}
