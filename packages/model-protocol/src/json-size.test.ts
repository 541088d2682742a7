import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VariantType } from './generated/commons.ts'
import { jsonExcess } from './json-size.ts'
import { readVariant } from './variant.ts'

const unlimited = { maxValues: 1e9, maxCharacters: 1e9, maxDepth: 1e9 }
const excess = (text: string, maxValues: number, maxDepth = 1e9) =>
  jsonExcess(Buffer.from(text), { maxValues, maxDepth })

function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, item) => sum + valuesOf(item), 1)
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

describe('jsonExcess', () => {
  it('counts exactly the values and levels of the parsed JSON, in any notation', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        const parsed: unknown = JSON.parse(text)
        expect(excess(text, valuesOf(parsed))).toBeUndefined()
        expect(excess(text, valuesOf(parsed) - 1)).toBe(`holds more than ${valuesOf(parsed) - 1} values`)
        const depth = depthOf(parsed)
        expect(excess(text, 1e9, depth)).toBeUndefined()
        if (depth > 0) expect(excess(text, 1e9, depth - 1)).toBe(`is nested more than ${depth - 1} levels deep`)
      }),
    )
  })

  it.each([
    ['a wide list', `[${'0,'.repeat(20)}0]`],
    ['empty lists', `[${'[],'.repeat(20)}[]]`],
    ['a repeated key', `{${'"a":0,'.repeat(20)}"a":0}`],
    ['texts without a comma', '"a"'.repeat(20)],
    ['words of Python', `[${'NaN,'.repeat(20)}NaN]`],
    ['an unterminated text after many values', `[${'0,'.repeat(20)}"`],
  ])('stops at the limit: %s', (_, text) => {
    expect(excess(text, 10)).toBe('holds more than 10 values')
  })

  it('ignores quotes, brackets and backslashes inside texts', () => {
    expect(excess(JSON.stringify({ 'a"[[[,,:': '\\"]}{[,,,:\\' }), 2, 1)).toBeUndefined()
  })
})

describe('readVariant', () => {
  it('does not parse JSON beyond the limits', () => {
    const value = Buffer.from('[1,2,3,')
    const json = { type: VariantType.JSON, value }
    // The parser would report the missing end instead.
    expect(() => readVariant(json, { ...unlimited, maxValues: 3 })).toThrow('holds more than 3 values')
    expect(() => readVariant(json, { ...unlimited, maxValues: 3 })).toThrow(
      expect.objectContaining({ code: 'VARIANT_TOO_LARGE' }),
    )
    expect(() => readVariant(json, unlimited)).toThrow('invalid JSON')
  })
})
