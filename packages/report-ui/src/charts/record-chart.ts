import { type NumericFields, numericFields } from '../format/numeric-fields.ts'
import type { Candles, ChartData, Values } from './chart-data.ts'

export interface SeriesRecord {
  /** In ms. */
  readonly at: number
  readonly values: unknown
}

const parts = ['open', 'high', 'low', 'close'] as const

/** Whether records can be drawn as candles. */
export function areCandles(fields: readonly NumericFields[]): boolean {
  return fields.length > 0 && fields.every((record) => parts.every((part) => record.has(part)))
}

/**
 * Records as a chart: `candles`, or a line of one of their fields. A step without a record becomes a gap, where the series has a
 * grid.
 * @param records Oldest first.
 * @param stepMs Of the grid; null without one.
 */
export function recordChart(records: readonly SeriesRecord[], stepMs: number | null, show: string): ChartData {
  const times: number[] = []
  const fields: (NumericFields | null)[] = []
  for (const { at, values } of records) {
    const before = times.at(-1)
    if (stepMs !== null && before !== undefined && at - before > 1.5 * stepMs) {
      times.push(before + stepMs)
      fields.push(null)
    }
    times.push(at)
    fields.push(numericFields(values))
  }
  const column = (name: string): Values => fields.map((record) => record?.get(name) ?? null)
  if (show !== 'candles') return { times, lines: [{ label: show, values: column(show), hue: 1 }] }
  const candles = Object.fromEntries(parts.map((part) => [part, column(part)])) as unknown as Candles
  return { times, candles }
}

const unitsMs: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
  ...{ d: 86_400_000, w: 604_800_000 },
}

/** The length of a granularity such as `5m`, in ms; null for another text. */
export function stepMs(granularity: string): number | null {
  const [, count, unit = ''] = /^(\d+)(ms|s|m|h|d|w)$/.exec(granularity) ?? []
  const step = Number(count) * (unitsMs[unit] ?? Number.NaN)
  return step > 0 ? step : null
}

/**
 * The grid of a series in ms, at whose end a record is known: that of candles, and of other records that all begin at multiples of
 * their granularity, such as those of days. Null for ticks, and for records that arrive when they like.
 * @param times Of records, in ms.
 */
export function gridMs(kind: string, granularity: string, times: readonly number[]): number | null {
  const step = stepMs(granularity)
  if (kind === 'tick' || step === null) return null
  return kind === 'candle' || (times.length > 1 && times.every((time) => time % step === 0)) ? step : null
}
