import { expect, it } from 'vitest'
import { jsonText } from './json-text.ts'

it('is the text of the value, in the order of its keys', () => {
  expect(jsonText({ b: [1, 'x', null, true], a: { c: -0, d: undefined } })).toBe('{"b":[1,"x",null,true],"a":{"c":0}}')
})

it.each([
  [{ a: [1, Number.NaN] }, '$.a[1]'],
  [{ a: { b: Number.POSITIVE_INFINITY } }, '$.a.b'],
  [[1, undefined], '$[1]'],
  [new Array(2), '$[0]'],
  [{ at: new Date(0) }, '$.at'],
  [{ run: () => 1 }, '$.run'],
])('refuses %o, which JSON would change, at %s', (value, path) => {
  expect(() => jsonText(value)).toThrow(`${path} is`)
})
