/** One finished day of a station. */
export interface ObservedDay {
  /** `2012-01-31` */
  readonly date: string
  /** The day's maximum temperature, degrees Celsius. */
  readonly tempMax: number
}

/** What `tick` brings: the last 30 known days of one subject, oldest first. */
export interface TickData {
  readonly subject: string
  readonly days: readonly ObservedDay[]
}

/** What `predict` answers: tomorrow's maximum temperature as a normal distribution, degrees Celsius. */
export interface Prediction {
  readonly mean: number
  /** Standard deviation, from 0.05 to 40. */
  readonly std: number
}

/** The limits of an answer; the contract checks them. */
export const predictionLimits = { lowestMean: -90, highestMean: 70, lowestStd: 0.05, highestStd: 40 } as const
