import type { InputOf, PredictionOf } from '@crunch/coordinator-node'
import type contract from '../../node/contract.ts'

/** The argument of `tick`, as the contract defines it: the last values of one subject, oldest first. */
export type TickData = InputOf<typeof contract>

/** The answer of `predict`, as the contract defines it: the next value. */
export type Prediction = PredictionOf<typeof contract>
