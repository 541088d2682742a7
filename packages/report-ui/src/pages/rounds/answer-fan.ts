import type { Values } from '../../charts/chart-data.ts'
import type { NumericFields } from '../../format/numeric-fields.ts'

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
 * The field of a series of which the contract makes its truth, as the numbers of both show: the one with exactly the value of the truth
 * in the record of that time. A predicted price has one, a predicted return has none.
 */
export function fieldOfTruth(record: NumericFields | undefined, truth: number | null): string | undefined {
  if (record === undefined || truth === null) return undefined
  return [...record].find(([, value]) => value === truth)?.[0]
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  const place = share * (sorted.length - 1)
  const [before, after] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
  return before + (after - before) * (place - Math.floor(place))
}
