import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isJsonArray, toJson, toJsonObject } from './json.ts'

class Price {
  readonly value = 1
}

describe('toJson', () => {
  test('returns JSON unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value))
        expect(toJson(json)).toEqual(json)
      }),
    )
  })

  test('writes the same text for the same members in any order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(JSON.stringify(toJson(reversed))).toBe(JSON.stringify(toJson(value)))
      }),
    )
  })

  test('drops undefined members, and writes -0 as 0', () => {
    expect(toJson({ a: undefined, b: -0, c: null })).toEqual({ b: 0, c: null })
    expect(Object.is(toJson(-0), 0)).toBe(true)
  })

  test('accepts objects without a prototype', () => {
    expect(toJson(Object.assign(Object.create(null), { a: [1] }))).toEqual({ a: [1] })
  })

  test('keeps a key named __proto__ as a key', () => {
    const text = '{"__proto__":{"value":5},"a":1}'
    const json = toJsonObject(JSON.parse(text))
    expect(JSON.stringify(json)).toBe(text)
    expect(json.value).toBeUndefined()
  })

  test.each([
    [Number.NaN, '$ is NaN'],
    [{ a: [1, Number.POSITIVE_INFINITY] }, '$.a[1] is Infinity'],
    [{ a: { b: () => 1 } }, '$.a.b is a function'],
    [10n, '$ is a bigint'],
    [Symbol('s'), '$ is a symbol'],
    [undefined, '$ is a undefined'],
    [[undefined], '$[0] is a undefined'],
    [new Array(2), '$[0] is a undefined'],
    [{ at: new Date(0) }, '$.at is a Date'],
    [new Map(), '$ is a Map'],
    [new Price(), '$ is a Price'],
    [Object.create(Object.create(null)), '$ is a class instance'],
  ])('refuses values that JSON cannot represent, with their path (%#)', (value, message) => {
    expect(() => toJson(value)).toThrow(TypeError)
    expect(() => toJson(value)).toThrow(message)
  })

  test('refuses cycles, and accepts 64 levels', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(() => toJson(cycle)).toThrow('nested more than 64 levels deep')
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    expect(() => toJson(nested(64))).not.toThrow()
    expect(() => toJson(nested(65))).toThrow('64 levels')
  })

  test('starts the path with a given name', () => {
    expect(() => toJson({ price: Number.NaN }, 'output')).toThrow('output.price is NaN')
  })
})

describe('toJsonObject', () => {
  test('accepts only objects', () => {
    expect(toJsonObject({ a: 1 })).toEqual({ a: 1 })
    for (const value of [null, [], 'text', 1])
      expect(() => toJsonObject(value, 'score')).toThrow('score is not an object')
  })

  test('distinguishes arrays from objects', () => {
    expect([isJsonArray([]), isJsonArray({}), isJsonArray(null)]).toEqual([true, false, false])
  })
})
