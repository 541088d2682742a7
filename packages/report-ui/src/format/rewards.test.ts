import { expect, test } from 'vitest'
import { exactShare, shareDecimals } from './rewards.ts'

test('a share is exact to the unit', () => {
  expect(exactShare(350_000_001)).toBe('35.0000001 %')
  expect(exactShare(1_000_000_000)).toBe('100 %')
  expect(exactShare(1)).toBe('0.0000001 %')
  expect(exactShare(12_500_000)).toBe('1.25 %')
  expect(exactShare(0)).toBe('0 %')
})

test('the shares of a column have as many decimals as the longest, and no digit is dropped for them', () => {
  const rewards = [500_000_000, 333_000_000, 25_000_000]
  expect(shareDecimals(rewards)).toBe(1)
  expect(rewards.map((reward) => exactShare(reward, shareDecimals(rewards)))).toEqual(['50.0 %', '33.3 %', '2.5 %'])
  expect(exactShare(333_333_333, 0)).toBe('33.3333333 %')
})
