/** A model's place in a checkpoint, best first. Models with equal values share a rank. */
export interface RankedModel {
  readonly modelId: string
  readonly rank: number
  readonly value: number
}

/** How a payout is divided. */
export interface Emission {
  readonly name: string
  /** Shares in percent, in the order of `ranked`: none negative, their sum 100, equal for equal ranks. */
  shares(ranked: readonly RankedModel[]): readonly number[]
}

/** Percent for each place from the first on: 35, four of 10, five of 5. */
export const defaultTiers: readonly number[] = [35, 10, 10, 10, 10, 5, 5, 5, 5, 5]

/**
 * Pays by place. Models that share a rank share the tiers of the places they occupy; what no place claims is split equally
 * among all ranked models.
 * @param percentages percent for each place, at most 100 together; by default 35, 4 × 10, 5 × 5
 */
export function tiers(percentages: readonly number[] = defaultTiers): Emission {
  return {
    name: 'tiers',
    shares(ranked) {
      const claimed = percentages.slice(0, ranked.length).reduce((sum, percent) => sum + percent, 0)
      // Tiers that add up to 100 on paper may add up to a hair more in floating point; nobody pays for that.
      const rest = ranked.length === 0 ? 0 : Math.max(0, 100 - claimed) / ranked.length
      const paid = ranked.map((model) => {
        const tied = ranked.filter((other) => other.rank === model.rank).length
        const places = percentages.slice(model.rank - 1, model.rank - 1 + tied)
        return places.reduce((sum, percent) => sum + percent, 0) / tied + rest
      })
      return paid
    },
  }
}
