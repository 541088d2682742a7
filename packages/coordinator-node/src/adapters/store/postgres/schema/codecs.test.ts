import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeInstant, encodeBound, encodeInstant } from './instant-codec.ts'
import { decodeJson, decodeText, encodeJson, encodeText } from './text-codec.ts'

const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0xd800, 0xdfff, 0xf8ff, 0x5c, 0x75, 0x30)))
  .map((units) => String.fromCharCode(...units))

it('restores every text exactly, and stores none that PostgreSQL refuses', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const stored = encodeText(text)
      expect(stored).not.toContain('\0')
      expect(stored).not.toMatch(/\p{Surrogate}/u)
      expect(decodeText(stored)).toBe(text)
    }),
  )
})

it('restores every JSON value exactly, and writes no escape that jsonb refuses', () => {
  const value = fc.jsonValue({ stringUnit: anyText.map((text) => text.slice(0, 1) || 'x') })
  fc.assert(
    fc.property(fc.oneof(value, anyText, fc.dictionary(anyText, anyText)), (json) => {
      const stored = encodeJson(json)
      const escapes = stored.match(/\\(u[0-9a-f]{4}|.)/gs) ?? []
      expect(escapes.filter((found) => /^\\u(0000|d[89a-f])/.test(found))).toEqual([])
      expect(JSON.stringify(decodeJson(stored))).toBe(JSON.stringify(json))
    }),
  )
})

it('encodes a text identically as a column and within JSON', () => {
  fc.assert(fc.property(anyText, (text) => JSON.parse(encodeJson(text)) === encodeText(text)))
})

it('parses instants in the format of PostgreSQL', () => {
  expect(decodeInstant('2026-03-01 10:00:00+00')).toBe(Date.UTC(2026, 2, 1, 10))
  expect(decodeInstant('2026-03-01 10:00:00.5+00')).toBe(Date.UTC(2026, 2, 1, 10) + 500)
  expect(decodeInstant('1969-12-31 23:59:59.999+00')).toBe(-1)
  expect(decodeInstant('0001-01-01 00:00:00+00')).toBe(-62_135_596_800_000)
  expect(() => decodeInstant('infinity')).toThrow(RangeError)
  expect(() => decodeInstant('10000-01-01 00:00:00+00')).toThrow(RangeError)
})

it('refuses to store invalid instants, and accepts any number except NaN as a bound', () => {
  const [first, last] = [Date.parse('0001-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')]
  expect([encodeInstant(first), encodeInstant(last)]).toEqual(['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])
  for (const at of [first - 1, last + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => encodeInstant(at), String(at)).toThrow(RangeError)
  }
  expect([encodeBound(first - 1), encodeBound(last + 1)]).toEqual(['-infinity', 'infinity'])
  expect([encodeBound(Number.NEGATIVE_INFINITY), encodeBound(Number.MAX_VALUE)]).toEqual(['-infinity', 'infinity'])
  expect(encodeBound(0)).toBe('1970-01-01T00:00:00.000Z')
  expect(() => encodeBound(Number.NaN)).toThrow(RangeError)
})
