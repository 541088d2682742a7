import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { btc, candle, eth, minute, minuteMs } from '../../ports/store-samples.ts'
import { createRecordWindow } from './record-window.ts'

const opens = (records: readonly { readonly eventAt: number }[]) =>
  records.map((record) => (record.eventAt - minute(0)) / minuteMs)

describe('the record window', () => {
  test('tells new, late and known records apart', () => {
    const window = createRecordWindow(60 * minuteMs)
    expect([0, 2, 1, 1, 2, 0, 3].map((count) => window.add(candle(count)))).toEqual([
      ...['new', 'new', 'late', 'known', 'known', 'known', 'new'],
    ])
    expect(opens(window.records(btc, minute(10), 60 * minuteMs))).toEqual([0, 1, 2, 3])
  })

  test('keeps what it knew of a record that comes again with other values', () => {
    const window = createRecordWindow(60 * minuteMs)
    window.add(candle(0, { close: 1 }))
    expect(window.add(candle(0, { close: 2 }))).toBe('known')
    expect(window.newest(btc)?.values).toEqual({ close: 1 })
  })

  test('gives what was known at an instant, back to the length and not beyond', () => {
    const window = createRecordWindow(60 * minuteMs)
    for (const count of [0, 1, 2, 3, 4]) window.add(candle(count))
    // The candle that opens at minute 2 is known at minute 3.
    expect(opens(window.records(btc, minute(3), 60 * minuteMs))).toEqual([0, 1, 2])
    expect(opens(window.records(btc, minute(3) - 1, 60 * minuteMs))).toEqual([0, 1])
    expect(opens(window.records(btc, minute(4), 2 * minuteMs))).toEqual([2, 3])
    expect(opens(window.records(btc, minute(0), 60 * minuteMs))).toEqual([])
  })

  test('keeps series apart', () => {
    const window = createRecordWindow(60 * minuteMs)
    window.add(candle(5))
    expect(window.add(candle(0, { close: 7 }, eth))).toBe('new')
    expect(window.newest(btc)?.eventAt).toBe(minute(5))
    expect(window.newest(eth)?.eventAt).toBe(minute(0))
    expect(window.newest({ ...btc, granularity: '5m' })).toBeUndefined()
    expect(window.records({ ...btc, granularity: '5m' }, minute(9), minuteMs)).toEqual([])
  })

  test('lets go of what is older than its length, and answers the same as if it had not', () => {
    const window = createRecordWindow(10 * minuteMs)
    for (let count = 0; count < 1_000; count += 1) {
      window.add(candle(count))
      const expected = Array.from({ length: Math.min(count + 1, 10) }, (_, index) => Math.max(0, count - 9) + index)
      expect(opens(window.records(btc, minute(count + 1), 10 * minuteMs))).toEqual(expected)
    }
    // A wider question shows what is still held: bounded, though a thousand were added.
    expect(window.records(btc, minute(1_000), 2_000 * minuteMs).length).toBeLessThan(150)
  })

  test('answers alike in whatever order records arrive', () => {
    const counts = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 1 })
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 10 }), (order, at, length) => {
        const window = createRecordWindow(60 * minuteMs)
        for (const count of order) window.add(candle(count))
        const expected = [...order]
          .sort((left, right) => left - right)
          .filter((count) => count + 1 <= at && count + 1 > at - length)
        expect(opens(window.records(btc, minute(at), length * minuteMs))).toEqual(expected)
        expect(window.newest(btc)?.eventAt).toBe(minute(Math.max(...order)))
      }),
    )
  })
})
