import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Json } from './json.ts'
import { jsonEqual } from './json-equal.ts'

it('treats a value and a copy with reordered keys as equal', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, reversed(item)]),
    )
  }
  fc.assert(fc.property(fc.jsonValue(), (value) => jsonEqual(value as Json, reversed(value) as Json)))
})

it('distinguishes different values', () => {
  const values: Json[] = [
    null,
    0,
    '',
    false,
    [],
    {},
    [0],
    ['0'],
    { a: 0 },
    { a: null },
    { b: 0 },
    { a: 0, b: 0 },
    [[0]],
    [0, 0],
  ]
  for (const [left, a] of values.entries()) {
    for (const [right, b] of values.entries()) expect(jsonEqual(a, b), `${left} and ${right}`).toBe(left === right)
  }
})
