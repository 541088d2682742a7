import type { InputOf, PredictionOf } from '@crunch/coordinator-node'
import type contract from '../../node/contract.ts'

/** The argument of `tick`, as the contract defines it: the last 30 known days of one subject, oldest first. */
export type TickData = InputOf<typeof contract>

/** One finished day of a station. */
export type ObservedDay = TickData['days'][number]

/** The answer of `predict`, as the contract defines it: tomorrow's maximum temperature as a normal distribution, degrees Celsius. */
export type Prediction = PredictionOf<typeof contract>

/** The limits of an answer, degrees Celsius; the contract checks them. */
export const predictionLimits = { lowestMean: -90, highestMean: 70, lowestStd: 0.05, highestStd: 40 } as const
