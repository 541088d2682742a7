import { expect, it } from 'vitest'
import { seriesRecords } from './series-records.ts'

const times = ['2026-03-01T10:00:00.000Z', '2026-03-01T10:01:00.000Z', '2026-03-01T10:02:00.000Z']
const column = (...values: readonly (number | null)[]) => [...values]
const sums = (first: number, last: number, min: number, max: number, sum: number) => ({
  first: column(first, null, 1),
  last: column(last, null, 1),
  min: column(min, null, 1),
  max: column(max, null, 1),
  sum: column(sum, null, 1),
})

it('makes candles of several candles, and leaves out points without a record', () => {
  const fields = {
    open: sums(1, 2, 3, 4, 5),
    high: sums(1, 2, 3, 4, 5),
    low: sums(1, 2, 3, 4, 5),
    close: sums(1, 2, 3, 4, 5),
  }
  expect(seriesRecords({ kind: 'candle', times, fields })).toEqual([
    { at: Date.parse('2026-03-01T10:00:00Z'), values: { open: 1, high: 4, low: 3, close: 2 } },
    { at: Date.parse('2026-03-01T10:02:00Z'), values: { open: 1, high: 1, low: 1, close: 1 } },
  ])
})

it('shows the last value of other records, whatever their names', () => {
  const records = seriesRecords({ kind: 'daily', times, fields: { high: sums(1, 2, 3, 4, 5) } })
  expect(records.map(({ values }) => values)).toEqual([{ high: 2 }, { high: 1 }])
})
