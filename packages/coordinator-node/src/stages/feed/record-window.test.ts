import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { btc, candle, eth, minute, minuteMs } from '../../ports/store-samples.ts'
import { createRecordWindow } from './record-window.ts'

const opens = (records: readonly { readonly eventAt: number }[]) =>
  records.map((record) => (record.eventAt - minute(0)) / minuteMs)

describe('the record window', () => {
  test('distinguishes new, late and known records', () => {
    const window = createRecordWindow(60 * minuteMs)
    expect([0, 2, 1, 1, 2, 0, 3].map((count) => window.add(candle(count)))).toEqual([
      ...['new', 'new', 'late', 'known', 'known', 'known', 'new'],
    ])
    expect(opens(window.records(btc, minute(10), 60 * minuteMs))).toEqual([0, 1, 2, 3])
  })

  test('keeps the first version of a record that arrives again with other values', () => {
    const window = createRecordWindow(60 * minuteMs)
    window.add(candle(0, { close: 1 }))
    expect(window.add(candle(0, { close: 2 }))).toBe('known')
    expect(window.newest(btc)?.values).toEqual({ close: 1 })
  })

  test('returns the records known at an instant, back to its length', () => {
    const window = createRecordWindow(60 * minuteMs)
    for (const count of [0, 1, 2, 3, 4]) window.add(candle(count))
    // The candle that opens at minute 2 becomes known at minute 3.
    expect(opens(window.records(btc, minute(3), 60 * minuteMs))).toEqual([0, 1, 2])
    expect(opens(window.records(btc, minute(3) - 1, 60 * minuteMs))).toEqual([0, 1])
    expect(opens(window.records(btc, minute(4), 2 * minuteMs))).toEqual([2, 3])
    expect(opens(window.records(btc, minute(0), 60 * minuteMs))).toEqual([])
  })

  test('separates series', () => {
    const window = createRecordWindow(60 * minuteMs)
    window.add(candle(5))
    expect(window.add(candle(0, { close: 7 }, eth))).toBe('new')
    expect(window.newest(btc)?.eventAt).toBe(minute(5))
    expect(window.newest(eth)?.eventAt).toBe(minute(0))
    expect(window.newest({ ...btc, granularity: '5m' })).toBeUndefined()
    expect(window.records({ ...btc, granularity: '5m' }, minute(9), minuteMs)).toEqual([])
  })

  test('drops records older than its length without changing results', () => {
    const window = createRecordWindow(10 * minuteMs)
    for (let count = 0; count < 1_000; count += 1) {
      window.add(candle(count))
      const expected = Array.from({ length: Math.min(count + 1, 10) }, (_, index) => Math.max(0, count - 9) + index)
      expect(opens(window.records(btc, minute(count + 1), 10 * minuteMs))).toEqual(expected)
    }
    // A longer query shows the number of stored records, which is bounded although a thousand were added.
    expect(window.records(btc, minute(1_000), 2_000 * minuteMs).length).toBeLessThan(150)
  })

  test('is independent of the order of arrival', () => {
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
