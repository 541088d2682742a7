import { fullRewardFrac64 } from '../../domain/checkpoint.ts'
import { divideExactly } from '../../domain/payout/divide-exactly.ts'

/** Weights are whole multiples of this part of a percent, a millionth of a unit of the payout; 100 % stays a safe integer. */
const partsOfPercent = 1e13

/**
 * Divides a payout into integers with the sum 1,000,000,000 by {@link divideExactly}, whichever emission gave the shares.
 * @param percentages shares in percent, best rank first, without a `shareProblem`. Within its tolerance a share may rise with the rank;
 * it is then cut to the one before, so that a worse rank never gets a unit more.
 */
export function divideReward(percentages: readonly number[]): number[] {
  if (percentages.length === 0) return []
  let least = Number.POSITIVE_INFINITY
  const weights = percentages.map((percent) => {
    least = Math.min(least, percent)
    return Math.round(least * partsOfPercent)
  })
  return divideExactly(fullRewardFrac64, weights)
}
