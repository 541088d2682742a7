import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { schemaForms } from './schema-forms.ts'

const text = z.object({ kind: z.literal('text'), text: z.string() })
const number = z.object({ kind: z.literal('number'), number: z.number() })
const flag = z.object({ kind: z.literal('flag'), flag: z.boolean() })
const three = z.union([text, number, flag])

interface Tree {
  readonly left?: Tree | number
}
const tree: z.ZodType<Tree> = z.object({ left: z.union([z.number(), z.lazy(() => tree)]).optional() })

describe('the number of forms in which one value may be checked', () => {
  test.each([
    ['no union', z.object({ value: z.number(), rows: z.record(z.string(), z.array(z.number())) }), 1],
    ['a union', three, 3],
    ['a union in a list', z.array(three), 3],
    ['a union in a record', z.record(z.string(), three), 3],
    ['a union of keys', z.record(z.union([z.literal('a'), z.literal('b')]), z.number()), 2],
    ['a union in a tuple', z.tuple([z.number(), three]), 3],
    ['a union as the rest of a tuple', z.tuple([z.number()], three), 3],
    ['a union of unknown fields', z.object({}).catchall(three), 3],
    ['a union that may be absent', z.object({ value: three.nullable().default({ kind: 'text', text: '' }) }), 3],
    ['a union with a transform', z.preprocess((value) => value, three).transform((value) => value.kind), 3],
    ['a union of which one form must fit', z.xor([text, number]), 2],
    ['two unions side by side', z.object({ one: three, other: z.union([text, number]) }), 3],
    ['unions within a union', z.union([z.object({ a: three }), z.object({ a: three }), z.number()]), 7],
    ['an intersection', z.object({ a: three }).and(z.object({ a: three })), 6],
    ['a union with a discriminator', z.discriminatedUnion('kind', [text, number, flag]), 1],
    [
      'a union with an optional discriminator',
      z.discriminatedUnion('kind', [text, number], { unionFallback: true }),
      2,
    ],
    ['a union that contains itself', tree, 2],
  ] as const)('are counted: %s', (_, schema, forms) => {
    expect(schemaForms(schema)).toBe(forms)
  })
})
