import { present } from '../errors.ts'

/** Remainders are compared to this part of a unit. */
const remainderParts = 10_000n

/**
 * Divides `total` units in proportion to `weights` by largest remainder, in exact integer arithmetic: the sum of the parts is
 * `total`, each part is its exact share rounded down or up, a larger weight never gets less, and equal weights differ by at most
 * one unit. Units left over go to the largest remainders. Remainders that are equal to 1/10,000 of a unit count as equal, so that
 * weights rounded from percentages are treated like the percentages; of those, the larger weight comes first, then the earlier one.
 * @param weights integers that are not negative, at least one of them positive
 */
export function divideExactly(total: number, weights: readonly number[]): number[] {
  const exact = weights.map(BigInt)
  const sum = exact.reduce((all, weight) => all + weight, 0n)
  if (!Number.isSafeInteger(total) || total < 0 || sum <= 0n || exact.some((weight) => weight < 0n)) {
    throw new RangeError(
      'cannot divide: the total and each weight must be integers that are not negative, with one weight',
    )
  }
  const parts = exact.map((weight, index) => {
    const product = BigInt(total) * weight
    const remainder = Number(((product % sum) * remainderParts + sum / 2n) / sum)
    return { index, weight: present(weights[index], 'a weight'), units: Number(product / sum), remainder }
  })
  const left = total - parts.reduce((all, { units }) => all + units, 0)
  const byRemainder = [...parts].sort(
    (one, other) => other.remainder - one.remainder || other.weight - one.weight || one.index - other.index,
  )
  for (const part of byRemainder.slice(0, left)) part.units += 1
  return parts.map(({ units }) => units)
}
