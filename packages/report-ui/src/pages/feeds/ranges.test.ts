import { expect, it } from 'vitest'
import { rangesOf } from './ranges.ts'

const keys = (granularity: string, oldest_ts: string | null, newest_ts: string | null) =>
  rangesOf({ granularity, oldest_ts, newest_ts }).map(({ key }) => key)

it('offers ranges that show several values and not all, and all of them', () => {
  expect(keys('1m', '2026-03-01T00:00:00.000Z', '2026-03-02T12:00:00.000Z')).toEqual(['1h', '6h', '1d', 'all'])
  expect(keys('1d', '2026-01-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z')).toEqual(['30d', 'all'])
})

it('offers no range that the API would refuse, and none without records', () => {
  expect(keys('1s', '2025-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')).toEqual(['1h', '6h', '1d'])
  expect(keys('1m', null, null)).toEqual([])
})
