import type { Places, RankableModel } from './ranking-options.ts'

/**
 * Orders models for `leaderboard.rank`, best first; those that compare as equal share a rank. Never throws.
 * @param compare below 0 when `left` is better, above 0 when `right` is, 0 when they are equal
 * @example rank: ({ models }) => placesBy(models, (left, right) => right.value - left.value)
 */
export function placesBy<Model extends Pick<RankableModel, 'modelId'>>(
  models: readonly Model[],
  compare: (left: Model, right: Model) => number,
): Places {
  const groups: Model[][] = []
  for (const model of [...models].sort(compare)) {
    const best = groups.at(-1)?.[0]
    if (best !== undefined && compare(best, model) === 0) groups.at(-1)?.push(model)
    else groups.push([model])
  }
  return groups.map((group) => group.map(({ modelId }) => modelId))
}
