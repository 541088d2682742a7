import { expect, test } from 'vitest'
import { present } from './errors.ts'

test('a value that the engine guarantees is never replaced by a default', () => {
  expect(present<number>(0, 'the index of a round')).toBe(0)
  expect(() => present<number>(undefined, 'the index of a round')).toThrow(
    new RangeError('the index of a round is missing, which is a fault of the engine'),
  )
})
