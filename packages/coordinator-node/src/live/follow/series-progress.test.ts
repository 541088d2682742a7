import { describe, expect, test } from 'vitest'
import { candle, minute, minuteMs } from '../../ports/store-samples.ts'
import { createSeriesProgress } from './series-progress.ts'

describe('the progress of a series', () => {
  test('continues after its newest record, regardless of late ones', () => {
    const progress = createSeriesProgress(minuteMs, minute(0))
    expect(progress.next()).toBe(minute(0))
    for (const count of [0, 3, 1]) progress.take(candle(count))
    expect(progress.next()).toBe(minute(4))
    expect(createSeriesProgress(null, null).next()).toBeNull()
  })

  test('recognizes repeated and stored records; other values of the same key are new', () => {
    const progress = createSeriesProgress(minuteMs, minute(2), minute(2))
    expect([1, 2, 3].map((count) => progress.isKnown(candle(count)))).toEqual([true, false, false])
    expect(createSeriesProgress(minuteMs, minute(2)).isKnown(candle(1))).toBe(false)
    progress.take(candle(3, { close: 1 }))
    expect(progress.isKnown(candle(3, { close: 1 }))).toBe(true)
    expect(progress.isKnown(candle(3, { close: 2 }))).toBe(false)
    expect(progress.isKnown(candle(2))).toBe(false)
  })

  test('finds the gap before a record on a grid, but none without a grid or a start', () => {
    const progress = createSeriesProgress(minuteMs, minute(2), minute(2))
    expect(progress.holeBefore(candle(2))).toBeNull()
    expect(progress.holeBefore(candle(5))).toEqual({ from: minute(2), to: minute(5) })
    expect(createSeriesProgress(null, minute(2)).holeBefore(candle(5))).toBeNull()
    const anew = createSeriesProgress(minuteMs, null)
    expect(anew.holeBefore(candle(5))).toBeNull()
    expect(createSeriesProgress(minuteMs, minute(2)).holeBefore(candle(5))).toBeNull()
    anew.take(candle(5))
    expect(anew.holeBefore(candle(7))).toEqual({ from: minute(6), to: minute(7) })
  })

  test('remembers a bounded number of records', () => {
    const progress = createSeriesProgress(minuteMs, null)
    for (let count = 0; count <= 4_096; count += 1) progress.take(candle(count))
    expect([0, 1, 4_096].map((count) => progress.isKnown(candle(count)))).toEqual([false, true, true])
  })
})
