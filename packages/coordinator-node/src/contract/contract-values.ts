import type { z } from 'zod'
import type { AnyContract } from './crunch-contract.ts'

/**
 * The input of a model: what `input.build` returns, after `input.schema`. It is the argument of `tick`.
 * @example export type TickData = InputOf<typeof contract>
 */
export type InputOf<Contract extends AnyContract> = z.output<Contract['input']['schema']>

/**
 * A valid answer: what `predict` returns, after `prediction.schema`. It is the `output` of `score.compute`.
 * @example export type Prediction = PredictionOf<typeof contract>
 */
export type PredictionOf<Contract extends AnyContract> = z.output<Contract['prediction']['schema']>

/**
 * The truth of a round: what `truth.resolve` returns, after `truth.schema`. It is the `truth` of `score.compute`.
 * @example export type Truth = TruthOf<typeof contract>
 */
export type TruthOf<Contract extends AnyContract> = z.output<Contract['truth']['schema']>

/**
 * The score of one prediction: what `score.compute` returns, after `score.schema`.
 * @example export type Score = ScoreOf<typeof contract>
 */
export type ScoreOf<Contract extends AnyContract> = z.output<Contract['score']['schema']>
