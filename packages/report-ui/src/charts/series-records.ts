import type { Series } from '../data/series.ts'
import { msOf } from '../format/times.ts'
import type { SeriesRecord } from './record-chart.ts'

/** What a candle's field is of several candles; other fields have their last value. */
const sums: Readonly<Record<string, keyof Series['fields'][string]>> = {
  ...{ open: 'first', high: 'max', low: 'min', close: 'last', volume: 'sum' },
}

/** The points of a series that have a value, oldest first. */
export function seriesRecords({
  times,
  fields,
  kind,
}: Pick<Series, 'times' | 'fields' | 'kind'>): readonly SeriesRecord[] {
  const columns = Object.entries(fields).map(([name, columns]) => {
    const sum = kind === 'candle' ? sums[name] : undefined
    return [name, columns[sum ?? 'last']] as const
  })
  return times.flatMap((time, index) => {
    const values = columns.flatMap(([name, column]) => {
      const value = column[index] ?? null
      return value === null ? [] : [[name, value] as const]
    })
    return values.length === 0 ? [] : [{ at: msOf(time), values: Object.fromEntries(values) }]
  })
}
