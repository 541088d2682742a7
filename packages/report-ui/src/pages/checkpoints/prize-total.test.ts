import { expect, test } from 'vitest'
import { microUnits } from './prize-total.ts'

test('a sum of tokens is exact in micro-units', () => {
  expect(microUnits('5000')).toBe(5_000_000_000)
  expect(microUnits(' 0.25 ')).toBe(250_000)
  expect(microUnits('1,000.000001')).toBe(1_000_000_001)
  expect(microUnits('999999999.999999')).toBe(999_999_999_999_999)
})

test.each(['', '-1', '1e3', '0.1234567', '1.', 'ten', '1000000000'])('%j is no sum', (text) => {
  expect(microUnits(text)).toBeNull()
})
