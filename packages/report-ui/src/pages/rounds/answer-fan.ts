import type { Values } from '../../charts/chart-data.ts'

interface Question {
  /** When it was asked, and for when; in ms. */
  readonly askedAt: number
  readonly truthAt: number
  /** The value of the series that was known when it was asked. */
  readonly entry: number
}

export interface AnswerFan {
  readonly middle: Values
  readonly low: Values
  readonly high: Values
}

/**
 * Where the answers say that a series goes: straight from its known value to their median and to their 10 % and 90 % quantiles.
 * @param times In ms; the fan is null outside of the time between question and truth.
 */
export function answerFan(
  times: readonly number[],
  { askedAt, truthAt, entry }: Question,
  answers: readonly number[],
): AnswerFan {
  const towards = (share: number): Values => {
    const target = quantile(answers, share)
    return times.map((time) =>
      time < askedAt || time > truthAt ? null : entry + ((target - entry) * (time - askedAt)) / (truthAt - askedAt),
    )
  }
  return { middle: towards(0.5), low: towards(0.1), high: towards(0.9) }
}

/**
 * Whether answers can be drawn over a series: a predicted price can, a predicted return cannot. Most of them have to be within three
 * times the range of the series around it.
 */
export function isInUnitOf(series: readonly number[], answers: readonly number[]): boolean {
  if (series.length === 0 || answers.length === 0) return false
  const low = series.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const high = series.reduce((greatest, value) => Math.max(greatest, value), Number.NEGATIVE_INFINITY)
  const reach = 3 * (high - low || Math.abs(high) * 0.01)
  const middle = quantile(answers, 0.5)
  return middle >= low - reach && middle <= high + reach
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  const place = share * (sorted.length - 1)
  const [before, after] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
  return before + (after - before) * (place - Math.floor(place))
}
