import { callAuthor, wrongReturn } from '../author-code.ts'
import type { AnyContract } from '../crunch-contract.ts'
import { describeReturned } from './describe-returned.ts'
import type { RankableModel } from './ranking-options.ts'

/**
 * The rank of each model by the contract's own order: 1 is best, and models in one place share a rank (1, 2, 2, 4). `null` if the
 * contract does not define an order. Throws an `AuthorError` if the contract's function throws, or does not return an order of
 * exactly these models.
 */
export function ranksByContract(
  { leaderboard }: Pick<AnyContract, 'leaderboard'>,
  models: readonly RankableModel[],
): ReadonlyMap<string, number> | null {
  const { rank } = leaderboard
  if (rank === undefined) return null
  if (models.length === 0) return new Map()
  const author = { path: 'leaderboard.rank', owner: leaderboard, run: rank }
  const copies = models
    .map((model) => ({ ...model, windows: { ...model.windows } }))
    .sort((left, right) => (left.modelId < right.modelId ? -1 : 1))
  const given = callAuthor(author, { models: copies })
  const read = readPlaces(given, new Set(models.map(({ modelId }) => modelId)))
  if (typeof read === 'string') throw wrongReturn(author, read)
  return read
}

/** The ranks of an order, or its problem. */
function readPlaces(given: unknown, ids: ReadonlySet<string>): ReadonlyMap<string, number> | string {
  if (!Array.isArray(given)) return `${describeReturned(given)}; it must be a list of model ids, best first`
  const ranks = new Map<string, number>()
  for (const place of given as readonly unknown[]) {
    const group: readonly unknown[] = Array.isArray(place) ? place : [place]
    if (group.length === 0) return 'an empty list as a place'
    const rank = ranks.size + 1
    for (const id of group) {
      if (typeof id !== 'string') return `${describeReturned(id)} in its list; each entry must be the id of a model`
      if (!ids.has(id)) return `the unknown model ${JSON.stringify(id)}`
      if (ranks.has(id)) return `the model ${JSON.stringify(id)} twice`
      ranks.set(id, rank)
    }
  }
  const missing = [...ids].filter((id) => !ranks.has(id))
  if (missing.length === 0) return ranks
  const shown = missing.slice(0, 3).map((id) => JSON.stringify(id))
  return `no place for ${shown.join(', ')}${missing.length > shown.length ? ` and ${missing.length - shown.length} more` : ''}`
}
