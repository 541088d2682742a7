import { errorText } from '@crunch/local-processes/errors'
import { type Variant, VariantType } from './generated/commons.ts'
import { jsonExcess, type ValueLimits } from './json-size.ts'
import { parseLenientJson } from './lenient-json.ts'
import { readParquetRows } from './parquet-rows.ts'
import { ProtocolError } from './protocol-error.ts'
import { writeStrictJson } from './strict-json.ts'

/** One argument of a model's method, with its wire type. */
export type ArgumentValue =
  | { readonly type: 'STRING'; readonly value: string }
  | { readonly type: 'INT'; readonly value: number | bigint }
  | { readonly type: 'DOUBLE'; readonly value: number }
  | { readonly type: 'JSON'; readonly value: unknown }
  | { readonly type: 'NONE' }

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
/** No competition needs longer integers. */
const MAX_INT_BYTES = 64
const NO_BYTES = new Uint8Array(0)
const utf8Encoder = new TextEncoder()
// Like Python: strict decoding that keeps a byte order mark.
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Encodes a value with the given wire type.
 *
 * Throws `VARIANT_NOT_ENCODABLE` for an INT that is not a 64-bit integer, and for JSON with NaN, an infinity or another
 * value that strict JSON cannot express.
 */
export function encodeVariant(value: ArgumentValue): Variant {
  switch (value.type) {
    case 'NONE':
      return { type: VariantType.NONE, value: NO_BYTES }
    case 'STRING':
      return { type: VariantType.STRING, value: utf8Encoder.encode(value.value) }
    case 'INT':
      return { type: VariantType.INT, value: encodeInt(value.value) }
    case 'DOUBLE':
      return { type: VariantType.DOUBLE, value: encodeDouble(value.value) }
    case 'JSON':
      return { type: VariantType.JSON, value: encodeJson(value.value) }
  }
}

/**
 * Encodes the result of a model's method, choosing the wire type like the deployed runners: null and undefined have no
 * variant, booleans become INT 1 and 0, objects and arrays become JSON. JavaScript has one type of number, so whole
 * numbers up to 2^53 become INT, and all others, including NaN and the infinities, DOUBLE.
 *
 * Throws `VARIANT_NOT_ENCODABLE`.
 */
export function encodeResult(value: unknown): Variant | undefined {
  switch (typeof value) {
    case 'undefined':
      return undefined
    case 'string':
      return encodeVariant({ type: 'STRING', value })
    case 'boolean':
      return encodeVariant({ type: 'INT', value: value ? 1 : 0 })
    case 'bigint':
      return encodeVariant({ type: 'INT', value })
    case 'number':
      return encodeVariant({ type: Number.isSafeInteger(value) && !Object.is(value, -0) ? 'INT' : 'DOUBLE', value })
    case 'object':
      return value === null ? undefined : encodeVariant({ type: 'JSON', value })
    default:
      throw new ProtocolError('VARIANT_NOT_ENCODABLE', `Unsupported data type: ${typeof value}`)
  }
}

/**
 * Decodes a value of any type that peers send: PARQUET returns a promise of its rows (see `readParquetRows`), every other type the
 * value itself. JSON and PARQUET beyond the limits are refused before they are decoded. Characters are only counted in PARQUET,
 * where few bytes may encode many.
 *
 * Throws, or the promise rejects with, `VARIANT_NOT_DECODABLE`; for JSON beyond the limits, `VARIANT_TOO_LARGE`.
 */
export function readVariant(variant: Variant | undefined, limits: ValueLimits): unknown | Promise<readonly unknown[]> {
  if (variant?.type === VariantType.JSON) {
    const excess = jsonExcess(variant.value, limits)
    if (excess !== undefined) throw new ProtocolError('VARIANT_TOO_LARGE', excess)
  }
  if (variant?.type !== VariantType.PARQUET) return decodeVariant(variant)
  return readParquetRows(variant.value, { maxCells: limits.maxValues, maxCharacters: limits.maxCharacters }).catch(
    (error: unknown) => {
      throw notDecodable(`invalid PARQUET: ${errorText(error)}`, error)
    },
  )
}

/**
 * Decodes a value synchronously. An absent variant and NONE become null, an INT beyond 2^53 a bigint; JSON may contain Python's
 * extensions (see `parseLenientJson`).
 *
 * Throws `VARIANT_NOT_DECODABLE`.
 */
export function decodeVariant(variant: Variant | undefined): unknown {
  if (variant === undefined) return null
  switch (variant.type) {
    case VariantType.NONE:
      return null
    case VariantType.STRING:
      return decodeUtf8(variant.value, 'STRING')
    case VariantType.INT:
      return decodeInt(variant.value)
    case VariantType.DOUBLE:
      return decodeDouble(variant.value)
    case VariantType.JSON:
      return decodeJson(variant.value)
    case VariantType.PARQUET:
      throw notDecodable('a variant of type PARQUET is not supported here: send JSON, DOUBLE, INT or STRING')
    case VariantType.ARROW:
      throw notDecodable('a variant of type ARROW is not supported: send JSON, PARQUET, DOUBLE, INT or STRING')
    default:
      throw notDecodable(`unknown variant type ${variant.type}`)
  }
}

function encodeInt(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw notEncodable(`INT needs a whole number up to 2^53 or a bigint, got ${value}`)
  }
  const integer = BigInt(value)
  if (integer < INT64_MIN || integer > INT64_MAX) throw notEncodable(`INT holds 64 bits, got ${integer}`)
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, integer, true)
  return bytes
}

/** Two's complement, little-endian, of any length: peers send 8 bytes but accept any length. */
function decodeInt(bytes: Uint8Array): number | bigint {
  if (bytes.length > MAX_INT_BYTES)
    throw notDecodable(`INT of ${bytes.length} bytes, at most ${MAX_INT_BYTES} are read`)
  let magnitude = 0n
  for (let index = bytes.length - 1; index >= 0; index -= 1) magnitude = (magnitude << 8n) | BigInt(bytes[index]!)
  const integer = BigInt.asIntN(bytes.length * 8, magnitude)
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer
}

function encodeDouble(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return bytes
}

function decodeDouble(bytes: Uint8Array): number {
  if (bytes.length !== 8) throw notDecodable(`DOUBLE needs 8 bytes, got ${bytes.length}`)
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true)
}

function encodeJson(value: unknown): Uint8Array {
  try {
    return utf8Encoder.encode(writeStrictJson(value))
  } catch (error) {
    throw notEncodable(errorText(error), error)
  }
}

function decodeJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes, 'JSON')
  try {
    return parseLenientJson(text)
  } catch (error) {
    throw notDecodable(`invalid JSON: ${errorText(error)}`, error)
  }
}

function decodeUtf8(bytes: Uint8Array, type: string): string {
  try {
    return utf8Decoder.decode(bytes)
  } catch (error) {
    throw notDecodable(`${type} is not valid UTF-8`, error)
  }
}

function notEncodable(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError('VARIANT_NOT_ENCODABLE', message, { cause })
}

function notDecodable(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError('VARIANT_NOT_DECODABLE', message, { cause })
}
