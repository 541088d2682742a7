import { expect, test } from 'vitest'
import { byteSize } from './bytes.ts'

test('a size has three digits in the largest unit of which it has one', () => {
  expect([0, 999, 1_000, 1_234_567, 80_500_000_000, -2_500_000].map(byteSize)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.00 kB',
    '1.23 MB',
    '80.5 GB',
    '−2.50 MB',
  ])
})
