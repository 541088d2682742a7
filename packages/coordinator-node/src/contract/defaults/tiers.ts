import { present } from '../../domain/errors.ts'
import { type Emission, floorPart, type PayAbove } from './emission.ts'

/** Options of `tiers()`. */
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
    ...floorPart(payAbove),
    parameters: { percentages },
    shares(ranked) {
      const claimed = percentages.slice(0, ranked.length).reduce((sum, percent) => sum + percent, 0)
      // Tiers that add up to exactly 100 may add up to slightly more in floating point; that is not an error.
      const rest = ranked.length === 0 ? 0 : Math.max(0, 100 - claimed) / ranked.length
      const tied = new Map<number, number>()
      for (const { rank } of ranked) tied.set(rank, (tied.get(rank) ?? 0) + 1)
      const shares = new Map<number, number>()
      for (const [rank, count] of tied) {
        const places = percentages.slice(rank - 1, rank - 1 + count)
        shares.set(rank, places.reduce((sum, percent) => sum + percent, 0) / count + rest)
      }
      return ranked.map(({ rank }) => present(shares.get(rank), 'the share of a rank'))
    },
  }
}

function isList(options: TierOptions | readonly number[]): options is readonly number[] {
  return Array.isArray(options)
}
