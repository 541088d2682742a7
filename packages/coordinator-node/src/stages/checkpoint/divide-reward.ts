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
  const shares = percentages.map((percent) => {
    const exact = (percent / sum) * fullRewardFrac64
    const units = Math.floor(exact)
    // Rounded; otherwise floating-point noise would decide between mathematically equal fractions.
    return { exact, units, fraction: Math.round((exact - units) * 1e5) }
  })
  const left = fullRewardFrac64 - shares.reduce((total, { units }) => total + units, 0)
  const byFraction = [...shares].sort((first, second) => second.fraction - first.fraction || second.exact - first.exact)
  for (const share of byFraction.slice(0, left)) share.units += 1
  return shares.map(({ units }) => units)
}

/** The problem with the shares of an emission for a number of models; `null` if they divide a payout. */
export function shareProblem(shares: unknown, count: number): string | null {
  if (!Array.isArray(shares)) return 'no list of shares'
  const given = shares as readonly unknown[]
  if (given.length !== count) return `${given.length} shares for ${count} models`
  const sum = given.reduce<number>((total, share) => total + Number(share), 0)
  const isRight = given.every((share) => typeof share === 'number' && Number.isFinite(share) && share >= 0)
  if (isRight && Math.abs(sum - 100) <= 1e-6) return null
  return `[${given.join(', ')}] (sum ${sum}), which must be percentages that are not negative and add up to 100`
}
