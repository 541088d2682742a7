import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { strictSchema } from '../../contract/schema/strict-schema.ts'
import { issueTexts } from './issue-text.ts'

const text = (schema: z.ZodType, value: unknown, maxIssues?: number) => {
  const { error } = strictSchema(schema).safeParse(value)
  return issueTexts(error?.issues ?? [], value, 'values', maxIssues)
}
const weather = z.object({ temp: z.coerce.number(), wind: z.number() })

describe('a fault is described', () => {
  test.each<[string, z.ZodType, unknown, string]>([
    ['with the value', z.number().max(1), 2, 'values: Too big: expected number to be <=1, found 2'],
    ['with a text', z.object({ a: z.number() }), { a: 'hot' }, 'a: Invalid input: expected number, received string, found "hot"'],
    ['with a text that is no number', weather, { temp: 'hot', wind: 1 }, 'temp: Invalid input: expected number, received NaN, found "hot"'],
    ['with NaN', z.array(z.number()), [1, Number.NaN], '1: Invalid input: expected number, received NaN, found NaN'],
    ['with a large list, shortly', z.number(), Array(9).fill(0), 'values: Invalid input: expected number, received array, found a list of 9'],
    ['with an object, shortly', z.object({ a: z.number() }), { a: { b: 1n } }, 'a: Invalid input: expected number, received object, found an object of b'],
    ['with a long text, shortly', z.number(), 'x'.repeat(99), `values: Invalid input: expected number, received string, found "${'x'.repeat(39)}…`],
    ['as missing, with the near name', weather, { temperature: 1, wind: 1, temq: 5 }, 'temp: is missing (expected number), did you mean "temq"? There are temperature, wind, temq'],
    ['as missing, without a near name', z.object({ value: z.number() }), { rides: 3 }, 'value: is missing (expected number). There is rides'],
    ['as missing in an empty object', z.object({ value: z.number() }), {}, 'value: is missing (expected number). There are no fields'],
    ['in the words of the author', z.object({ a: z.number().refine(() => false, 'must be odd') }), { a: 2 }, 'a: must be odd'],
  ])('%s', (_, schema, value, expected) => {
    expect(text(schema, value)).toBe(expected)
  }) // biome-ignore format: a table

  test('as one of many', () => {
    const wide = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`c${index}`, index]))
    expect(text(z.object({ value: z.number() }), wide)).toMatch(/There are c0, .*, c11 and 8 more$/)
    expect(text(z.array(z.number()), ['a', 'b', 'c'], 1)).toMatch(/^0: .*; 2 more$/)
  })
})
