import type { InputOf, PredictionOf } from '@crunch/coordinator-node'
import type contract from '../../node/contract.ts'

/** The argument of `tick`, as the contract defines it: closes of one subject's finished candles of the last two hours, oldest first. */
export type TickData = InputOf<typeof contract>

/** The answer of `predict`, as the contract defines it: -1: certainly down, 1: certainly up, 0: no opinion. */
export type Prediction = PredictionOf<typeof contract>
