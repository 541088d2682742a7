import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KwArgument, VariantType } from './generated/commons.ts'
import { CallRequest, CallResponse, SetupRequest } from './generated/dynamic_subclass.ts'
import { encodeCall, setupRequest } from './model-call.ts'
import { type ArgumentValue, decodeVariant, encodeResult, encodeVariant, readVariant } from './variant.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const json = (text: string) => ({ type: VariantType.JSON, value: new TextEncoder().encode(text) })

/** Encoded by hand from the field numbers of the deployed services. */
const vectors = {
  setup: '0a176372756e636865722e4d6f64656c42617365436c617373',
  predict:
    '0a0770726564696374120f0801120b10031a074254435553445412100802120c10021a083c0000000000000012100803120c10021a080f00000000000000',
  feedUpdate: '0a0b666565645f757064617465121d0801121910061a157b2273796d626f6c223a202242544355534454227d',
  jsonResponse: '0a090a0753554343455353121210061a0e7b2276616c7565223a20302e357d',
  emptyResponse: '0a090a0753554343455353',
  badImplementation:
    '0a370a124241445f494d504c454d454e544154494f4e12214d6574686f6420227822206e6f7420666f756e6420696e20636c61737320224d22',
  horizon: '0a07686f72697a6f6e120c10021a080100000000000000',
}

describe('test vectors of the deployed peers', () => {
  it('Setup', () => {
    expect(hex(SetupRequest.encode(setupRequest('cruncher.ModelBaseClass')).finish())).toBe(vectors.setup)
    expect(SetupRequest.decode(bytes(vectors.setup))).toEqual(setupRequest('cruncher.ModelBaseClass'))
  })

  it('Call with STRING and INT arguments', () => {
    const encoded = encodeCall('predict', [
      { type: 'STRING', value: 'BTCUSDT' },
      { type: 'INT', value: 60 },
      { type: 'INT', value: 15n },
    ])
    expect(hex(encoded)).toBe(vectors.predict)
    const decoded = CallRequest.decode(bytes(vectors.predict))
    expect(decoded.methodName).toBe('predict')
    expect(decoded.methodArguments.map(({ position, data }) => [position, decodeVariant(data)])).toEqual([
      [1, 'BTCUSDT'],
      [2, 60],
      [3, 15],
    ])
  })

  it('Call with a JSON argument, whose spaces are Python style', () => {
    const decoded = CallRequest.decode(bytes(vectors.feedUpdate))
    expect(decoded.methodName).toBe('feed_update')
    expect(decodeVariant(decoded.methodArguments[0]?.data)).toEqual({ symbol: 'BTCUSDT' })
    expect(hex(CallRequest.encode(decoded).finish())).toBe(vectors.feedUpdate)
    // Our bytes differ only by that space.
    const ours = hex(encodeCall('feed_update', [{ type: 'JSON', value: { symbol: 'BTCUSDT' } }]))
    expect(ours).toBe(vectors.feedUpdate.replace('1d0801121910061a15', '1c0801121810061a14').replace('223a20', '223a'))
  })

  it('responses: JSON, nothing, a failure', () => {
    const answer = CallResponse.decode(bytes(vectors.jsonResponse))
    expect(answer.status).toEqual({ code: 'SUCCESS', message: '' })
    expect(decodeVariant(answer.methodResponse)).toEqual({ value: 0.5 })
    expect(hex(CallResponse.encode(answer).finish())).toBe(vectors.jsonResponse)

    const nothing = { status: { code: 'SUCCESS', message: '' }, methodResponse: encodeResult(null) }
    expect(hex(CallResponse.encode(nothing).finish())).toBe(vectors.emptyResponse)
    expect(decodeVariant(CallResponse.decode(bytes(vectors.emptyResponse)).methodResponse)).toBeNull()

    const status = { code: 'BAD_IMPLEMENTATION', message: 'Method "x" not found in class "M"' }
    expect(hex(CallResponse.encode({ status, methodResponse: undefined }).finish())).toBe(vectors.badImplementation)
    expect(CallResponse.decode(bytes(vectors.badImplementation)).status).toEqual(status)
  })

  it('keyword arguments, numbers and booleans', () => {
    const horizon = { keyword: 'horizon', data: encodeVariant({ type: 'INT', value: 1 }) }
    expect(hex(KwArgument.encode(horizon).finish())).toBe(vectors.horizon)
    expect(KwArgument.decode(bytes(vectors.horizon))).toEqual(horizon)
    expect(hex(encodeVariant({ type: 'DOUBLE', value: 1.5 }).value)).toBe('000000000000f83f')
    expect(decodeVariant({ type: VariantType.DOUBLE, value: bytes('000000000000f83f') })).toBe(1.5)
    expect(hex(encodeVariant({ type: 'INT', value: -1 }).value)).toBe('ffffffffffffffff')
    expect(decodeVariant({ type: VariantType.INT, value: bytes('ffffffffffffffff') })).toBe(-1)
    expect(encodeResult(true)).toEqual({ type: VariantType.INT, value: bytes('0100000000000000') })
  })
})

describe('the types of the wire', () => {
  const limits = { maxValues: 10, maxCharacters: 100, maxDepth: 3 }
  const text = (value: string) => Buffer.from(value).toString('hex')

  it.each([
    ['NONE', '', null],
    ['DOUBLE', '000000000000f83f', 1.5],
    ['DOUBLE', '000000000000f87f', Number.NaN],
    ['DOUBLE', '000000000000f0ff', Number.NEGATIVE_INFINITY],
    ['INT', 'ffffffffffffffff', -1],
    ['INT', '0100000000000000', 1],
    ['INT', '0000000000002000', 2n ** 53n],
    ['INT', 'ffffffffffffff7f', 2n ** 63n - 1n],
    ['INT', '', 0],
    ['STRING', text('Zürich ₿'), 'Zürich ₿'],
    ['STRING', '', ''],
    ['JSON', text('{"value": 0.5}'), { value: 0.5 }],
    ['JSON', text('"Z\\u00fcrich"'), 'Zürich'],
    ['JSON', text('[NaN, Infinity, -Infinity]'), [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['JSON', text('{"n": 9007199254740993}'), { n: 2n ** 53n + 1n }],
  ] as const)('%s %s', (type, encoded, value) => {
    expect(decodeVariant({ type: VariantType[type], value: bytes(encoded) })).toEqual(value)
    expect(readVariant({ type: VariantType[type], value: bytes(encoded) }, limits)).toEqual(value)
  })

  it.each([
    ['DOUBLE', '000000000000f8', 'DOUBLE needs 8 bytes'],
    ['STRING', 'ff', 'not valid UTF-8'],
    ['JSON', '', 'invalid JSON'],
    ['JSON', text('{value: 1}'), 'invalid JSON'],
    ['ARROW', text('ARROW1'), 'a variant of type ARROW is not supported: send JSON, PARQUET, DOUBLE, INT or STRING'],
  ] as const)('%s %s is refused', (type, encoded, message) => {
    expect(() => readVariant({ type: VariantType[type], value: bytes(encoded) }, limits)).toThrow(message)
  })
})

describe('encodeVariant', () => {
  it('round-trips every value', () => {
    const argument: fc.Arbitrary<ArgumentValue> = fc.oneof(
      fc.record({ type: fc.constant('STRING' as const), value: fc.string({ unit: 'grapheme' }) }),
      fc.record({ type: fc.constant('INT' as const), value: fc.maxSafeInteger() }),
      fc.record({ type: fc.constant('INT' as const), value: fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }) }),
      fc.record({ type: fc.constant('DOUBLE' as const), value: fc.double() }),
      fc.record({ type: fc.constant('JSON' as const), value: fc.jsonValue({ noUnicodeString: false }) }),
    )
    fc.assert(
      fc.property(argument, (value) => {
        const expected =
          value.type === 'JSON' ? JSON.parse(JSON.stringify(value.value)) : 'value' in value && value.value
        expect(decodeVariant(encodeVariant(value))).toEqual(expected)
      }),
    )
  })

  it('refuses an INT that is not a 64-bit integer', () => {
    for (const value of [0.5, Number.NaN, 2 ** 53, 2n ** 63n, -(2n ** 63n) - 1n]) {
      expect(() => encodeVariant({ type: 'INT', value })).toThrow(/^INT /)
    }
  })

  it('refuses values that strict JSON cannot express, and names the place', () => {
    const cyclic: { self?: unknown } = {}
    cyclic.self = cyclic
    const refused: [unknown, string | RegExp][] = [
      [{ mean: 1, std: [0, Number.NaN] }, '$.std[1] is NaN, which JSON cannot express'],
      [Number.POSITIVE_INFINITY, 'the value is Infinity, which JSON cannot express'],
      [[undefined], '$[0] is undefined, which JSON cannot express'],
      [{ f: () => 1 }, '$.f is a function, which JSON cannot express'],
      [{ m: new Map() }, '$.m is a Map, which JSON cannot express: make it a plain object or array'],
      [{ a: new Float64Array(1) }, /^\$\.a is a Float64Array/],
      [cyclic, /refers to itself$/],
    ]
    for (const [value, message] of refused) {
      expect(() => encodeVariant({ type: 'JSON', value })).toThrow(message)
      expect(() => encodeVariant({ type: 'JSON', value })).toThrow(
        expect.objectContaining({ code: 'VARIANT_NOT_ENCODABLE' }),
      )
    }
  })

  it('writes bigints as integers, leaves out undefined and calls toJSON', () => {
    const text = (value: unknown) => Buffer.from(encodeVariant({ type: 'JSON', value }).value).toString()
    expect(text({ a: 2n ** 64n, b: [1], c: undefined, 'ü"': 'x' })).toBe(
      '{"a":18446744073709551616,"b":[1],"ü\\"":"x"}',
    )
    expect(text({ at: new Date(0), gone: undefined })).toBe('{"at":"1970-01-01T00:00:00.000Z"}')
  })
})

describe('encodeResult', () => {
  it('chooses the wire type like the deployed runners', () => {
    const typeOf = (value: unknown) => encodeResult(value)?.type
    expect(typeOf(null)).toBeUndefined()
    expect(typeOf(undefined)).toBeUndefined()
    expect(typeOf(0.5)).toBe(VariantType.DOUBLE)
    expect(typeOf(-0)).toBe(VariantType.DOUBLE)
    expect(typeOf(Number.NaN)).toBe(VariantType.DOUBLE)
    expect(typeOf(2 ** 53)).toBe(VariantType.DOUBLE)
    expect(typeOf(3)).toBe(VariantType.INT)
    expect(typeOf(3n)).toBe(VariantType.INT)
    expect(typeOf('x')).toBe(VariantType.STRING)
    expect(typeOf({})).toBe(VariantType.JSON)
    expect(typeOf([1])).toBe(VariantType.JSON)
    expect(() => encodeResult(() => 1)).toThrow('Unsupported data type: function')
  })
})

describe('decodeVariant', () => {
  it('accepts an INT of any length', () => {
    const int = (text: string) => decodeVariant({ type: VariantType.INT, value: bytes(text) })
    expect(int('')).toBe(0)
    expect(int('80')).toBe(-128)
    expect(int('ff00')).toBe(255)
    expect(int('ffffffffffffff7f')).toBe(2n ** 63n - 1n)
    expect(int('00000000000000000100')).toBe(2n ** 64n)
    expect(() => int('00'.repeat(65))).toThrow('INT of 65 bytes')
  })

  it('reads values at any offset of a larger buffer', () => {
    const whole = bytes('ffffff000000000000f83f')
    expect(decodeVariant({ type: VariantType.DOUBLE, value: whole.subarray(3) })).toBe(1.5)
  })

  it('names the type that it cannot decode', () => {
    const decode = (type: number, value: Uint8Array) => () => decodeVariant({ type, value })
    expect(decode(VariantType.DOUBLE, bytes('00'))).toThrow('DOUBLE needs 8 bytes, got 1')
    expect(decode(VariantType.STRING, bytes('ff'))).toThrow('STRING is not valid UTF-8')
    expect(decode(VariantType.ARROW, bytes(''))).toThrow('a variant of type ARROW is not supported')
    expect(decode(VariantType.PARQUET, bytes(''))).toThrow('a variant of type PARQUET is not supported')
    expect(decode(9, bytes(''))).toThrow('unknown variant type 9')
    expect(() => decodeVariant(json('{"a":'))).toThrow(/^invalid JSON: /)
  })

  it('reads the JSON that Python writes', () => {
    expect(decodeVariant(json('{"a": NaN, "b": [-Infinity, Infinity], "c": 12345678901234567890}'))).toEqual({
      a: Number.NaN,
      b: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      c: 12345678901234567890n,
    })
  })
})
