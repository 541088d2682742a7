import { expect, it, test } from 'vitest'
import { numericFields } from '../format/numeric-fields.ts'
import { areCandles, gridMs, recordChart } from './record-chart.ts'

const candle = (at: number, close: number) => ({ at, values: { open: 1, high: 9, low: 0, close } })

it('draws candles, and leaves a gap where the grid has no record', () => {
  const chart = recordChart([candle(0, 2), candle(60, 3), candle(240, 4)], 60, 'candles')
  expect(chart.times).toEqual([0, 60, 120, 240])
  expect(chart.candles?.close).toEqual([2, 3, null, 4])
  expect(chart.lines).toBeUndefined()
})

it('draws a field as a line, without gaps where there is no grid', () => {
  const chart = recordChart([candle(0, 2), candle(240, 4)], null, 'close')
  expect(chart).toEqual({ times: [0, 240], lines: [{ label: 'close', values: [2, 4], hue: 1 }] })
})

test('only records with all four prices are candles', () => {
  expect(areCandles([numericFields(candle(0, 1).values)])).toBe(true)
  expect(areCandles([numericFields({ close: 1 })])).toBe(false)
  expect(areCandles([])).toBe(false)
})

test('candles have a grid, and other records that are on one', () => {
  const dayMs = 86_400_000
  expect([gridMs('candle', '5m', []), gridMs('candle', '?', []), gridMs('tick', '1s', [0, 1_000])]).toEqual([
    ...[300_000, null, null],
  ])
  const ofDays = (times: readonly number[]) => gridMs('daily', '1d', times)
  expect([ofDays([0, dayMs, 3 * dayMs]), ofDays([0, dayMs + 1]), ofDays([0])]).toEqual([dayMs, null, null])
})
