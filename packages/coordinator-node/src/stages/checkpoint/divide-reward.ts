import { fullRewardFrac64 } from '../../domain/checkpoint.ts'

/**
 * Divides a payout into integers by largest remainder: the sum is exactly 1,000,000,000, no share is negative, and a larger
 * percentage never gets less. Units left over go to the largest fractions; of equal ones to the larger percentage, then in
 * the order given.
 * @param percentages shares in percent without a {@link shareProblem}
 */
export function divideReward(percentages: readonly number[]): number[] {
  if (percentages.length === 0) return []
  const sum = percentages.reduce((total, percent) => total + percent, 0)
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

/** What is wrong with the shares that an emission gave so many models; `null` when they divide a payout. */
export function shareProblem(shares: unknown, count: number): string | null {
  if (!Array.isArray(shares)) return 'no list of shares'
  const given = shares as readonly unknown[]
  if (given.length !== count) return `${given.length} shares for ${count} models`
  const sum = given.reduce<number>((total, share) => total + Number(share), 0)
  const isRight = given.every((share) => typeof share === 'number' && Number.isFinite(share) && share >= 0)
  if (isRight && Math.abs(sum - 100) <= 1e-6) return null
  return `[${given.join(', ')}] (sum ${sum}), which are no percentages, none negative, with the sum 100`
}
