import type { JsonObject } from '../../domain/json/json.ts'

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

/** How a payout is divided. */
export interface Emission {
  /** Name of the emission. */
  readonly name: string
  /** What the shares depend on, as JSON. A change begins a new era; the ended era is paid with the stored parameters. */
  readonly parameters?: JsonObject
  /** The floor: models that are not strictly better are not in `ranked` and are not paid. Default: no floor. */
  readonly payAbove?: PayAbove
  /**
   * Returns shares in percent, in the order of `ranked`: not negative, equal for equal ranks, with the sum 100. `ranked`
   * contains the models that can be paid, at least one.
   */
  shares(ranked: readonly RankedModel[]): readonly number[]
}

export interface TierOptions {
  /** Percent for each place, at most 100 in total. Default: 35, 4 × 10, 5 × 5. */
  readonly percentages?: readonly number[]
  /** The floor: a baseline, or a value. Only strictly better models are paid. Default: no floor. */
  readonly payAbove?: PayAbove
}

/** Percent for each place from the first on: 35, four of 10, five of 5. */
export const defaultTiers: readonly number[] = [35, 10, 10, 10, 10, 5, 5, 5, 5, 5]

/**
 * Pays by place. Models that share a rank share the tiers of the places they occupy; percentages without a place are split
 * equally among all paid models. Shares are percentages with the sum 100. The default tiers are those of the Python coordinator. Never
 * throws: the check of the contract refuses percentages that do not add up to 100.
 * @example tiers({ payAbove: { baseline: 'flat' } })
 * @param options a list stands for its `percentages`
 */
export function tiers(options: TierOptions | readonly number[] = {}): Emission {
  const { percentages = defaultTiers, payAbove }: TierOptions = isList(options) ? { percentages: options } : options
  return {
    name: 'tiers',
    ...(payAbove === undefined ? {} : { payAbove }),
    parameters: { percentages },
    shares(ranked) {
      const claimed = percentages.slice(0, ranked.length).reduce((sum, percent) => sum + percent, 0)
      // Tiers that add up to exactly 100 may add up to slightly more in floating point; that is not an error.
      const rest = ranked.length === 0 ? 0 : Math.max(0, 100 - claimed) / ranked.length
      return ranked.map((model) => {
        const tied = ranked.filter((other) => other.rank === model.rank).length
        const places = percentages.slice(model.rank - 1, model.rank - 1 + tied)
        return places.reduce((sum, percent) => sum + percent, 0) / tied + rest
      })
    },
  }
}

function isList(options: TierOptions | readonly number[]): options is readonly number[] {
  return Array.isArray(options)
}
