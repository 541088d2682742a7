import { expect, it } from 'vitest'
import { fieldNames, numericFields } from './numeric-fields.ts'

it('finds the numbers of any value by their place', () => {
  const answer = { mean: 1, name: 'x', hit: true, none: null, levels: [{ q: 0.1, value: 2 }, 3] }
  expect([...numericFields(answer)]).toEqual([
    ['mean', 1],
    ['levels[0].q', 0.1],
    ['levels[0].value', 2],
    ['levels[1]', 3],
  ])
  expect([...numericFields(7)]).toEqual([['', 7]])
  expect(numericFields(null).size).toBe(0)
  expect(numericFields(Array.from({ length: 100_000 }, () => 1)).size).toBe(40)
  expect(fieldNames([numericFields({ a: 1 }), numericFields({ b: 2, a: 1 })])).toEqual(['a', 'b'])
})
