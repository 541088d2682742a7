import { fullRewardFrac64 } from '../../domain/checkpoint.ts'
import { CrunchError } from '../../domain/errors.ts'

/**
 * Divides a payout into integers by largest remainder: the sum is exactly 1,000,000,000, no share is negative, and a larger
 * percentage never gets less. Units left over go to the largest fractions; of equal ones to the larger percentage, then in
 * the order given.
 * @param percentages shares in percent, their sum 100
 */
export function divideReward(percentages: readonly number[]): number[] {
  if (percentages.length === 0) return []
  const sum = percentages.reduce((total, percent) => total + percent, 0)
  if (percentages.some((percent) => !Number.isFinite(percent) || percent < 0) || Math.abs(sum - 100) > 1e-6) {
    throw new CrunchError(
      'CONTRACT_INVALID',
      `checkpoint.emission: shares must be non-negative percentages that add up to 100, but are [${percentages.join(', ')}] (sum ${sum})`,
    )
  }
  const exact = percentages.map((percent) => (percent / sum) * fullRewardFrac64)
  const units = exact.map(Math.floor)
  const left = fullRewardFrac64 - units.reduce((total, unit) => total + unit, 0)
  const byFraction = exact
    // Rounded, or the noise of floating point would choose among fractions that are equal on paper.
    .map((value, index) => ({ index, value, fraction: Math.round((value - Math.floor(value)) * 1e5) }))
    .sort(
      (first, second) => second.fraction - first.fraction || second.value - first.value || first.index - second.index,
    )
  for (const { index } of byFraction.slice(0, left)) units[index] = (units[index] ?? 0) + 1
  return units
}
