import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerBytes, answerLimits, defaultMaxValues, highestMaxValues, measureAnswer } from './answer-size.ts'

const limits = { maxValues: 6, maxCharacters: 10, maxDepth: 2 }

describe('measureAnswer', () => {
  test.each([
    ['nothing', null, 1],
    ['a number', 0.5, 1],
    ['an object', { a: 1, b: 'xy' }, 3],
    ['a list', [1, 2, 3, 4, 5], 6],
    ['empty ones', [{}, []], 3],
    ['texts and keys at the limit', { abcde: 'fghij' }, 2],
  ])('counts the values of %s, but not the keys', (_, answer, values) => {
    expect(measureAnswer(answer, limits)).toEqual({ values, excess: null })
  })

  test.each([
    ['many values', [1, 2, 3, 4, 5, 6], 'holds more than 6 values'],
    ['values below others', { a: [1, 2, 3], b: [1] }, 'holds more than 6 values'],
    ['levels', [[[]]], 'is nested more than 2 levels deep'],
    ['a long text', 'x'.repeat(11), 'has strings and keys of more than 10 characters'],
    ['a long key', { abcdefghijk: 1 }, 'has strings and keys of more than 10 characters'],
    ['texts that are long together', ['abcdef', 'ghijk'], 'has strings and keys of more than 10 characters'],
  ])('stops at %s', (_, answer, excess) => {
    expect(measureAnswer(answer, limits).excess).toBe(excess)
  })

  test('stops at the limit', () => {
    let looked = 0
    const items = new Proxy(Array(1_000_000).fill(0), {
      get(target, key) {
        looked += 1
        return Reflect.get(target, key)
      },
    })
    expect(measureAnswer(items, limits).excess).toBe('holds more than 6 values')
    expect(looked).toBeLessThan(30)
  })
})

test.each([1, defaultMaxValues, highestMaxValues])(
  'an answer within limits of %i values never exceeds the receive limit in bytes, however its texts are escaped',
  (maxValues) => {
    const { maxCharacters } = answerLimits(maxValues)
    const longestNumber = '-2.2250738585072014e-308'.length
    fc.assert(
      fc.property(fc.constantFrom('\\u00e9', '\\\\', 'x'), (escaped) => {
        const bytes = escaped.length * maxCharacters + (longestNumber + '"":,[]'.length) * maxValues
        expect(bytes).toBeLessThanOrEqual(answerBytes(answerLimits(maxValues)))
      }),
    )
  },
)
