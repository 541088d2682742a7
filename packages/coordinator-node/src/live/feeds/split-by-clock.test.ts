import { describe, expect, test } from 'vitest'
import { candle, minute } from '../../ports/store-samples.ts'
import { describeAhead, splitByClock } from './split-by-clock.ts'

describe('splitByClock', () => {
  test('separates records from the future, beyond the tolerance, from the others', () => {
    const batch = [candle(0), candle(1), candle(2), candle(-60)]
    // From real data: the receiver's clock was 1.25 s behind the exchange's.
    expect(splitByClock(batch, minute(3) - 1_250, 5_000)).toEqual({ kept: batch, ahead: [] })
    expect(splitByClock(batch, minute(3) - 5_000, 5_000).ahead).toEqual([])
    expect(splitByClock(batch, minute(3) - 5_001, 5_000)).toEqual({
      kept: [candle(0), candle(1), candle(-60)],
      ahead: [candle(2)],
    })
    expect(splitByClock(batch, minute(2), 0).ahead).toEqual([candle(2)])
  })

  test('describes the clock skew and the fix', () => {
    expect(describeAhead('binance', minute(1), minute(1) - 12_345, 5_000)).toBe(
      "a record is known at 2026-03-01T10:01:00.000Z, 12.345 s after the time of this node (2026-03-01T10:00:47.655Z): the clock of this node is behind, or that of binance ahead, by more than the 5 s of FEED_CLOCK_TOLERANCE_SECONDS; set this node's clock by NTP",
    )
  })
})
