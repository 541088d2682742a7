import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLenientJson } from './lenient-json.ts'

describe('parseLenientJson', () => {
  it('reads ordinary JSON like the native parser, on both of its paths', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const expected: unknown = JSON.parse(text)
        expect(parseLenientJson(text)).toEqual(expected)
        // The added NaN forces our own parser.
        expect(parseLenientJson(` [ NaN , ${text}\n]`)).toEqual([Number.NaN, expected])
      }),
    )
  })

  it('keeps integers exact and decimals numbers', () => {
    expect(parseLenientJson('[9007199254740991, 9007199254740993, -9007199254740993]')).toEqual([
      9007199254740991,
      9007199254740993n,
      -9007199254740993n,
    ])
    expect(parseLenientJson(JSON.stringify([2 ** 53, 1e20]))).toEqual([2 ** 53, 1e20])
    expect(parseLenientJson('[0.12345678901234567, 12345678901234567.5, 1234567890123456789e2]')).toEqual(
      ['0.12345678901234567', '12345678901234567.5', '1234567890123456789e2'].map(Number),
    )
    expect(parseLenientJson('{"id":"12345678901234567890"}')).toEqual({ id: '12345678901234567890' })
  })

  it('does not change words inside strings, or unusual keys', () => {
    const text = '{"NaN": "Infinity", "q\\"\\\\": "\\\\", "__proto__": {"x": NaN}}'
    const value = parseLenientJson(text) as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['NaN', 'q"\\', '__proto__'])
    expect(value.q).toBeUndefined()
    expect('x' in value).toBe(false)
  })

  it("refuses text that is neither JSON nor Python's JSON", () => {
    const broken = [
      '',
      'nan',
      '[NaN,]',
      '{"a":NaN,}',
      '[NaN',
      '{"a" NaN}',
      '{NaN:1}',
      '"NaN',
      '[NaN] x',
      '-NaN',
      '[+Infinity]',
      '[01,NaN]',
    ]
    for (const text of broken) expect(() => parseLenientJson(text), text).toThrow(SyntaxError)
    expect(() => parseLenientJson('[NaN, x]')).toThrow('Unexpected "x" in JSON at position 6')
  })

  it('refuses deep nesting and long integers', () => {
    expect(() => parseLenientJson(`${'['.repeat(100_000)}NaN`)).toThrow('nested deeper than 500 levels')
    expect(() => parseLenientJson('9'.repeat(5000))).toThrow('Integer of more than 4300 digits')
  })
})
