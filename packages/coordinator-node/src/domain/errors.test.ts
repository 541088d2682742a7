import { expect, test } from 'vitest'
import { present } from './errors.ts'

test('present throws for a missing value instead of using a default', () => {
  expect(present<number>(0, 'the index of a round')).toBe(0)
  const fault = new RangeError('the index of a round is missing, which is a fault of the engine')
  for (const missing of [undefined, null]) expect(() => present(missing, 'the index of a round')).toThrow(fault)
})
