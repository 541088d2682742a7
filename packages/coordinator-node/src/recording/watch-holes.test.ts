import { describe, expect, test } from 'vitest'
import { createTestLog } from '../../test/test-log.ts'
import { btc, candle, eth, minute } from '../ports/store-samples.ts'
import { createHoleWatch } from './watch-holes.ts'

describe('createHoleWatch', () => {
  test('reports each gap in the grid of a series', () => {
    const log = createTestLog()
    const watch = createHoleWatch(log)
    for (const count of [0, 1, 4, 5, 5, 9]) watch.note(candle(count))
    for (const count of [3, 4, 6]) watch.note(candle(count, undefined, eth))
    expect(watch.holes()).toEqual([
      { scope: btc, from: minute(2), to: minute(4), missingCount: 2 },
      { scope: btc, from: minute(6), to: minute(9), missingCount: 3 },
      { scope: eth, from: minute(5), to: minute(6), missingCount: 1 },
    ])
    expect(watch.missingCount()).toBe(6)
    expect(log.lines).toMatchObject([
      {
        level: 'warn',
        message: 'records are missing',
        fields: { scope: 'binance:BTCUSDT:candle:1m', missingCount: 2 },
      },
      { fields: { from: '2026-03-01T10:06:00.000Z', to: '2026-03-01T10:09:00.000Z' } },
      { fields: { scope: 'binance:ETHUSDT:candle:1m' } },
    ])
  })

  test('reports no gap for late records or series without a grid', () => {
    const watch = createHoleWatch(createTestLog())
    for (const count of [5, 3, 4, 6]) watch.note(candle(count))
    for (const count of [0, 90]) watch.note({ ...candle(count), kind: 'tick' })
    expect(watch.holes()).toEqual([])
  })

  test('counts all gaps but stores a limited number', () => {
    const watch = createHoleWatch(createTestLog())
    for (let count = 0; count < 1_002; count += 1) watch.note(candle(2 * count))
    expect(watch.holes()).toHaveLength(1_000)
    expect(watch.missingCount()).toBe(1_001)
  })
})
