import type { JsonObject } from '../../domain/json/json.ts'
import type { Direction } from '../../domain/leaderboard.ts'

/** A model's place in a checkpoint, best first. Models with equal values share a rank. */
export interface RankedModel {
  /** Id of the model. */
  readonly modelId: string
  /** From 1. Two models on rank 1 are followed by rank 3. */
  readonly rank: number
  /** The mean of `leaderboard.value` over the checkpoint period, in the unit of the score. */
  readonly value: number
}

/** The floor of a payout: the value of a baseline in the same period, or a fixed value. A paid model must be strictly better. */
export type PayAbove =
  | { readonly baseline: string; readonly value?: never }
  | { readonly value: number; readonly baseline?: never }

/** What an emission knows about a payout besides its models. */
export interface PayoutContext {
  /** `desc`: higher values are better. */
  readonly direction: Direction
  /** The floor that every value exceeds, in the unit of the score; `null` without a floor. */
  readonly floor: number | null
}

/** How a payout is divided. */
export interface Emission {
  /** Name of the emission. */
  readonly name: string
  /** What the shares depend on, as JSON. A change begins a new era; the ended era is paid with the stored parameters. */
  readonly parameters?: JsonObject
  /** The floor: models that are not strictly better are not in `ranked` and are not paid. Default: no floor. */
  readonly payAbove?: PayAbove
  /**
   * Returns shares in percent, in the order of `ranked`: not negative, equal for equal ranks, not larger for a worse rank, with the
   * sum 100. `ranked` contains the models that can be paid, at least one; `payout` the `direction` and the value of the `floor`.
   */
  shares(ranked: readonly RankedModel[], payout: PayoutContext): readonly number[]
}

/** The floor as a part of an emission. */
export function floorPart(payAbove: PayAbove | undefined): Pick<Emission, 'payAbove'> {
  return payAbove === undefined ? {} : { payAbove }
}
