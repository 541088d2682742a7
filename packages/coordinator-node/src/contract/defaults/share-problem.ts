import type { RankedModel } from './emission.ts'

/** How many shares a message lists. */
const shownShares = 12

/** Percent by which a sum may differ from 100. */
const sumTolerance = 1e-6

/** Percent by which shares of equal ranks may differ: a tenth of a unit of the payout. */
const rankTolerance = 1e-8

/**
 * The problem with the shares of an emission for models in order of rank; `null` if they divide a payout: one share for each model,
 * none negative, not larger for a worse rank, equal for equal ranks, with the sum 100.
 */
export function shareProblem(shares: unknown, ranked: readonly Pick<RankedModel, 'rank'>[]): string | null {
  if (!Array.isArray(shares)) return `no list of shares for ${ranked.length} models`
  const given = shares as readonly unknown[]
  const list = `[${given.slice(0, shownShares).join(', ')}${given.length > shownShares ? ', …' : ''}]`
  const text = `${list} for ${ranked.length} models (sum ${given.reduce<number>((all, share) => all + Number(share), 0)})`
  if (given.length !== ranked.length) return `${text}, which must be one share for each model`
  const isShare = (share: unknown): share is number => typeof share === 'number' && Number.isFinite(share) && share >= 0
  if (!given.every(isShare)) return `${text}, which must be numbers that are not negative`
  const sum = given.reduce((all, share) => all + share, 0)
  if (Math.abs(sum - 100) > sumTolerance) return `${text}, which must be percentages with the sum 100`
  const wrong = given.findIndex((share, index) => isUnfair(share, ranked[index], given[index - 1], ranked[index - 1]))
  if (wrong < 0) return null
  const ranks = `rank ${ranked[wrong - 1]?.rank} gets ${given[wrong - 1]} and rank ${ranked[wrong]?.rank} gets ${given[wrong]}`
  return `${text}, where ${ranks}: equal ranks must get equal shares, and a worse rank no more than a better one`
}

function isUnfair(
  share: number,
  model: Pick<RankedModel, 'rank'> | undefined,
  before = Number.POSITIVE_INFINITY,
  better?: Pick<RankedModel, 'rank'>,
): boolean {
  if (share > before + rankTolerance) return true
  return model?.rank === better?.rank && share < before - rankTolerance
}
