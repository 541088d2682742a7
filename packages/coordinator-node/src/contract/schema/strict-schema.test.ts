import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { strictSchema } from './strict-schema.ts'

const empty = 'is empty'
const parsed = (schema: z.ZodType, value: unknown): unknown => {
  const { success, data, error } = strictSchema(schema).safeParse(value)
  return success ? data : error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; ')
}
const number = z.coerce.number()

describe('a schema that coerces', () => {
  test.each<[string, z.ZodType, unknown, unknown]>([
    ['a number', number, 1.5, 1.5],
    ['the text of a number', number, ' 1.50 ', 1.5],
    ['zero', number, '0', 0],
    ['a flag', z.coerce.boolean(), 1, true],
    ['a number as a text', z.coerce.string(), 7, '7'],
    ['an empty text as a text', z.coerce.string(), '', ''],
    ['a date', z.coerce.date(), '2026-03-01', new Date('2026-03-01')],
  ])('accepts %s', (_, schema, value, expected) => {
    expect(parsed(schema, value)).toEqual(expected)
  })

  test.each<[string, z.ZodType, unknown, string]>([
    ['0 of an empty text', number, '', empty],
    ['0 of blanks', number, ' \t', empty],
    ['0 of null', number, null, empty],
    ['1 of true', number, true, 'is true, which is not a number'],
    ['0 of a list', number, [], 'is [], which is not a number'],
    ['5 of a list', number, [5], 'is [5], which is not a number'],
    ['0n of an empty text', z.coerce.bigint(), '', empty],
    ['1970 of null', z.coerce.date(), null, empty],
    ['1970 of false', z.coerce.date(), false, 'is false, which is not a date'],
    ['true of "false"', z.coerce.boolean(), 'false', 'is "false", and z.coerce.boolean() makes true of every text'],
    ['false of an empty text', z.coerce.boolean(), '', empty],
    ['true of 7', z.coerce.boolean(), 7, 'is 7, which is not true or false'],
    ['the text "null"', z.coerce.string(), null, empty],
    ['the text "undefined"', z.coerce.string(), undefined, 'is missing'],
    ['the text "[object Object]"', z.coerce.string(), {}, 'is {}, which is not a text'],
    ['a number of a text', number, 'high', 'Invalid input: expected number, received NaN'],
  ])('does not make %s', (_, schema, value, problem) => {
    expect(parsed(schema, value)).toContain(problem)
  })

  test.each<[string, z.ZodType, unknown, unknown]>([
    ['optional', number.optional(), '', undefined],
    ['optional, null', number.optional(), null, undefined],
    ['optional with bounds', number.min(1).optional(), ' ', undefined],
    ['with a default', number.default(3), '', 3],
    ['nullable', number.nullable(), '', null],
    ['nullable and optional', number.nullish(), '', null],
    ['nullable and optional, missing', number.nullish(), undefined, undefined],
    ['readonly and optional', number.readonly().optional(), null, undefined],
    ['caught', number.catch(-1), '', -1],
    ['an optional text', z.coerce.string().optional(), '', ''],
    ['an optional text, null', z.coerce.string().optional(), null, undefined],
  ])('says what a missing value means when it is %s', (_, schema, value, expected) => {
    expect(parsed(schema, value)).toEqual(expected)
    expect(parsed(z.object({ field: schema }), { field: value })).toEqual({ field: expected })
  })

  test('may leave a key out only if it is optional', () => {
    expect(parsed(z.object({ a: number.optional() }), {})).toEqual({})
    expect(parsed(z.object({ a: number, b: z.coerce.string() }), {})).toBe('a is missing; b is missing')
  })

  interface Tree {
    readonly value: number
    readonly next?: Tree
  }
  const tree = z.object({
    value: number,
    get next(): z.ZodType<Tree | undefined> {
      return tree.optional()
    },
  })
  const lazyTree: z.ZodType<Tree> = z.object({ value: number, next: z.lazy(() => lazyTree.optional()) }) as never

  test.each<[string, z.ZodType, unknown, string]>([
    ['a list', z.array(number), [1, null], `1 ${empty}`],
    ['a tuple', z.tuple([z.string(), number]), ['a', ''], `1 ${empty}`],
    ['a record', z.record(z.string(), number), { a: '' }, `a ${empty}`],
    ['further fields', z.object({}).catchall(number), { a: '' }, `a ${empty}`],
    ['an intersection', z.object({ a: number }).and(z.object({ b: number })), { a: 1, b: '' }, `b ${empty}`],
    ['a transform', z.object({ a: number.transform((it) => it * 2) }), { a: '' }, `a ${empty}`],
    ['a refined object', z.object({ a: number }).refine(() => true), { a: '' }, `a ${empty}`],
    ['itself', tree, { value: 1, next: { value: '' } }, `next.value ${empty}`],
    ['itself, lazily', lazyTree, { value: 1, next: { value: '' } }, `next.value ${empty}`],
  ])('is guarded within %s', (_, schema, value, problem) => {
    expect(parsed(schema, value)).toContain(problem)
  })

  test('is guarded as one form of a union', () => {
    expect(parsed(z.object({ a: z.union([number, z.null()]) }), { a: null })).toEqual({ a: null })
    expect(parsed(z.union([number, z.literal('none')]), '')).toBe('Invalid input')
    const form = z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), a: number })])
    expect(parsed(form, { kind: 'a', a: '' })).toContain(`a ${empty}`)
  })

  test('keeps the checks of its parts', () => {
    const checked = z.object({ low: number, high: number }).refine(({ low, high }) => low < high, 'is crossed')
    expect(parsed(checked, { low: '2', high: 1 })).toBe('is crossed')
    expect(parsed(z.strictObject({ a: number.max(5) }), { a: '6', b: 1 })).toMatch(/a Too big: .*; Unrecognized key/)
  })
})

test('a schema that does not coerce is used as it is', () => {
  const schema = z.object({ a: z.number(), b: z.array(z.string()) })
  expect(strictSchema(schema)).toBe(schema)
})
