import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { changedContract } from '../../../test/sample-contract.ts'
import { answerLimitsOf } from '../../contract/resolved-contract.ts'
import { measureAnswer } from '../../domain/answer-size.ts'
import { round } from '../../ports/store-samples.ts'
import { absentPrediction, judgeAnswer } from './judge-answer.ts'

const of = round(0)
const limits = { maxValues: 1_000, maxCharacters: 10_000, maxDepth: 4 }
const small = { values: 0, excess: null }
const schema = z.object({ value: z.number().min(-1).max(1), note: z.string().default('none') })
const judge = (output: unknown, by: z.ZodType = schema) =>
  judgeAnswer(of, 'a', { status: 'answered', output, durationMs: 7 }, measureAnswer(output, limits), by)

describe('judgeAnswer', () => {
  test('makes a pending row of a valid answer, with the parsed value', () => {
    expect(judge({ value: 0.5, extra: true })).toEqual({
      id: `PRE_a_${of.id}`,
      roundId: of.id,
      modelId: 'a',
      status: 'PENDING',
      output: { value: 0.5, note: 'none' },
      reason: null,
      blame: null,
      detail: null,
      durationMs: 7,
      performedAt: of.performedAt,
      resolvableAt: of.resolvableAt,
    })
  })

  test.each([
    ['breaks the schema', { value: 2 }, schema, 'value: Too big'],
    [
      'is nothing',
      null,
      schema,
      'output: Invalid input: expected object, received null. Example of a valid answer: {"value":0.227,"note":"sample-3"}',
    ],
    [
      'is a text',
      '{"value":1}',
      schema,
      'output: Invalid input: expected object, received string, found "{\\"value\\":1}". Example of',
    ],
    [
      'has another name',
      { valu: 1 },
      schema,
      'value: is missing (expected number), did you mean "valu"? There is valu',
    ],
    ['is empty, where the schema coerces', { value: null }, z.object({ value: z.coerce.number() }), 'value: is empty'],
    ['is NaN', { value: Number.NaN }, schema, 'value: Invalid input'],
    [
      'has two faults',
      { value: 2, note: 3 },
      schema,
      'value: Too big: expected number to be <=1, found 2; note: Invalid input',
    ],
    ['cannot be stored', 1, z.number().transform((value) => new Date(value)), 'output is a Date'],
    ['makes the schema throw', 1, z.number().transform(() => { throw new Error('validator broke') }), 'validator broke'], // biome-ignore format: a table
    ['is checked by a promise', 1, z.number().refine(async () => true), 'Encountered Promise'],
    ['is awaited by the schema', 1, z.promise(z.number()), 'Encountered Promise'],
    ['makes it throw no error', 1, z.number().transform(() => { throw 'plain text' }), 'plain text'], // biome-ignore format: a table
  ])('fails an answer that %s, with blame on the model and the reason', (_, output, by, detail) => {
    const row = judge(output, by)
    expect(row).toMatchObject({
      status: 'FAILED',
      reason: 'invalid_output',
      blame: 'model',
      output: null,
      durationMs: 7,
    })
    expect(row.detail).toContain(detail)
  })

  test('copies reason and blame of a missing answer', () => {
    const fault = { reason: 'timeout', blame: 'model', detail: 'too slow', durationMs: 1_000 } as const
    expect(judgeAnswer(of, 'a', { status: 'absent', ...fault }, small, schema)).toMatchObject({
      status: 'ABSENT',
      ...fault,
    })
    expect(judgeAnswer(of, 'a', { status: 'failed', ...fault }, small, schema)).toMatchObject({
      status: 'FAILED',
      ...fault,
    })
  })

  test.each([
    ['is wide', Array(1_000).fill(0), 'the answer holds more than 1000 values'],
    ['is deep', [[[[[]]]]], 'the answer is nested more than 4 levels deep'],
    ['has huge keys', { ['k'.repeat(10_001)]: 1 }, 'the answer has strings and keys of more than 10000 characters'],
    ['has huge texts', { value: 'x'.repeat(10_001) }, 'the answer has strings and keys of more than 10000 characters'],
  ])('refuses an answer that %s before the schema sees it, and blames the model', (_, output, detail) => {
    let seen = 0
    const watched = z.unknown().refine(() => {
      seen += 1
      return true
    })
    expect(judge(output, watched)).toMatchObject({
      status: 'FAILED',
      reason: 'output_too_large',
      blame: 'model',
      detail,
    })
    expect(seen).toBe(0)
  })

  test('lists all faults of a small answer', () => {
    const both = z.object({ mean: z.number(), std: z.number().positive() })
    expect(judge({ mean: 'hot', std: -1 }, both).detail).toMatch(/^mean: Invalid input: .*; std: Too small: /)
  })

  test('stops at the first invalid item of a list', () => {
    let seen = 0
    const item = z.object({ value: z.number() })
    const counted = z.array(
      z.preprocess((value) => {
        seen += 1
        return value
      }, item),
    )
    judge([{}], counted) // makes the example, which the schema checks
    seen = 0
    expect(judge(Array(999).fill({}), counted).detail).toMatch(/^0\.value: is missing [^;]*$/)
    expect(seen).toBe(1)
  })

  test('limits the number of checks of a union to that of an ordinary schema', () => {
    let seen = 0
    const form = z.looseObject({}).refine(() => {
      seen += 1
      return false
    })
    const record = z.record(z.string(), z.union([form, form, form, form, form, form]))
    const limitsOfRecord = answerLimitsOf(changedContract({ prediction: { schema: record } }))
    const judgeWrong = (count: number) => {
      const output = Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, {}]))
      const size = measureAnswer(output, limitsOfRecord)
      return judgeAnswer(of, 'a', { status: 'answered', output, durationMs: 7 }, size, record)
    }
    expect(judgeWrong(4_999)).toMatchObject({ reason: 'invalid_output', detail: expect.stringContaining('4989 more') })
    expect(seen).toBe(4_999 * 6)
    expect(judgeWrong(5_000)).toMatchObject({ reason: 'output_too_large', blame: 'model' })
    expect(seen).toBe(4_999 * 6)
  })

  test('lists ten of many faults', () => {
    const detail = judge(Array(900).fill(-1), z.array(z.number().min(0))).detail ?? ''
    expect(detail).toMatch(/^0: Too small/)
    expect(detail.split('; ')).toHaveLength(11)
    expect(detail).toMatch(/; 890 more\. Example of a valid answer: \[[\d.,]+\]$/)
  })

  test('keeps details short', () => {
    const detail = 'x'.repeat(5_000)
    const fault = { status: 'failed', reason: 'model_error', blame: 'model', detail, durationMs: null } as const
    expect(judgeAnswer(of, 'a', fault, small, schema).detail).toHaveLength(2_000)
    expect(
      judge(
        {},
        z.record(z.string(), z.never()).refine(() => false, detail),
      ).detail,
    ).toHaveLength(2_000)
  })
})

test('a row that cannot get an answer is absent, with reason and blame', () => {
  expect(absentPrediction(of, 'a', 'not_running', 'model', 'it was not there')).toMatchObject({
    id: `PRE_a_${of.id}`,
    status: 'ABSENT',
    reason: 'not_running',
    blame: 'model',
    detail: 'it was not there',
    output: null,
    durationMs: null,
  })
})
