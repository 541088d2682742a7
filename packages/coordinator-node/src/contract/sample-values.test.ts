import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sampleValues } from './sample-values.ts'

describe('sampleValues', () => {
  test.each([
    ['a number', z.number(), 6],
    ['a number above', z.number().min(5), 6],
    ['a number below', z.number().max(-5), 6],
    ['a number strictly between', z.number().gt(0).lt(1), 6],
    ['an integer', z.number().int().min(0).max(1_000), 6],
    ['a boolean', z.boolean(), 2],
    ['a text', z.string(), 6],
    ['a choice', z.enum(['up', 'down', 'flat']), 3],
    ['a constant', z.literal('up'), 1],
    ['nothing', z.null(), 1],
    ['a union', z.union([z.number(), z.literal('none')]), 4],
    ['a list', z.array(z.number()).min(4), 6],
    ['a short list', z.array(z.number()).max(1), 6],
    ['a pair', z.tuple([z.number(), z.number()]), 6],
    ['a pair of different kinds', z.tuple([z.string(), z.boolean()]), 6],
    ['an object', z.object({ mean: z.number(), std: z.number().positive(), note: z.string().optional() }), 6],
    ['anything', z.unknown(), 6],
  ])('makes different, valid values of %s', (_, schema: z.ZodType, distinct) => {
    const values = sampleValues(schema, 6)
    for (const value of values) expect(schema.safeParse(value).success).toBe(true)
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(distinct)
  })

  test('returns parsed values, as the engine would see them', () => {
    expect(sampleValues(z.object({ value: z.number().transform((value) => `${value > 100}`) }), 1)).toEqual([
      { value: 'false' },
    ])
  })

  test('varies the fields of an object independently of each other', () => {
    const samples = sampleValues(z.object({ left: z.number(), right: z.number() }), 6) as Record<string, number>[]
    for (const { left, right } of samples) expect(left).not.toBe(right)
  })

  test('makes none if a rule is not visible in the schema', () => {
    expect(
      sampleValues(
        z.number().refine((value) => value === 12_345),
        6,
      ),
    ).toEqual([])
    expect(
      sampleValues(
        z.custom<Date>((value) => value instanceof Date),
        6,
      ),
    ).toEqual([])
    expect(sampleValues(z.union([]), 6)).toEqual([])
    const undescribed = z.lazy(() => {
      throw new Error('imported in a circle')
    })
    expect(sampleValues(undescribed, 6)).toEqual([])
  })
})
