import { present } from '../errors.ts'
import { mapInSlices, type SlicedWork } from './sliced-work.ts'

/** Values of pairs that are correlated in one slice: about 10 ms. */
const valuesPerSlice = 400_000

/** The values of one model by round. */
export type ValuesByRound = ReadonlyMap<string, number>

/**
 * For each model the mean of its Spearman correlations with every other one, each over the rounds that both have, from
 * -1 to 1; `null` where it is defined with none. Equal to the mean of `rankCorrelation` over all pairs, to the last bit.
 *
 * There are half a million pairs of a thousand models. So each model is sorted once, and its ranks within the rounds of
 * a pair are read off in one pass, because leaving rounds out does not change the order of the rest.
 */
export function* meanRankCorrelations(models: readonly ValuesByRound[]): SlicedWork<(number | null)[]> {
  const roundIndex = new Map<string, number>()
  for (const model of models) {
    for (const roundId of model.keys()) if (!roundIndex.has(roundId)) roundIndex.set(roundId, roundIndex.size)
  }
  const sorted = models.map((model) => ({ ...sortModel(model, roundIndex), sum: 0, count: 0 }))
  const left = new Float64Array(roundIndex.size)
  const right = new Float64Array(roundIndex.size)

  function correlatePair(one: SortedModel, other: SortedModel): number | null {
    if (one.roundSet === other.roundSet)
      return correlate(one.rounds, one.has, one.rounds.length, one.ranks, other.ranks)
    const count = rankWithin(one, other.has, left)
    rankWithin(other, one.has, right)
    return correlate(one.rounds, other.has, count, left, right)
  }

  function correlateWithLater(one: (typeof sorted)[number], index: number): void {
    for (const other of sorted.slice(index + 1)) {
      const value = correlatePair(one, other)
      if (value === null) continue
      for (const model of [one, other]) {
        model.sum += value
        model.count += 1
      }
    }
  }

  const workOf = ({ rounds }: SortedModel, index: number) => rounds.length * (sorted.length - index)
  yield* mapInSlices(sorted, valuesPerSlice, workOf, correlateWithLater)
  return sorted.map(({ sum, count }) => (count === 0 ? null : sum / count))
}

interface SortedModel {
  /** Indices of its rounds, from the lowest value to the highest. */
  readonly rounds: Uint32Array
  /** Its values in that order. */
  readonly values: Float64Array
  /** 1 at the index of each round that it has. */
  readonly has: Uint8Array
  /** Equal for models that have the same rounds: most pairs, whose ranks need no second look. */
  readonly roundSet: string
  /** Its rank within all its rounds, at the index of each. */
  readonly ranks: Float64Array
}

function sortModel(model: ValuesByRound, roundIndex: ReadonlyMap<string, number>): SortedModel {
  const entries = [...model].sort(([, one], [, other]) => one - other)
  const rounds = Uint32Array.from(entries, ([roundId]) =>
    present(roundIndex.get(roundId), `the index of round ${roundId}`),
  )
  const values = Float64Array.from(entries, ([, value]) => value)
  const has = new Uint8Array(roundIndex.size)
  for (const round of rounds) has[round] = 1
  const ranks = new Float64Array(roundIndex.size)
  rankWithin({ rounds, values }, has, ranks)
  return { rounds, values, has, roundSet: has.join(''), ranks }
}

/** Writes a model's ranks within those of its rounds that `has` marks, ties at their average. Returns how many. */
function rankWithin(
  { rounds, values }: Pick<SortedModel, 'rounds' | 'values'>,
  has: Uint8Array,
  ranks: Float64Array,
): number {
  let ranked = 0
  for (let start = 0; start < rounds.length; ) {
    const value = values[start]
    let end = start
    let tied = 0
    while (end < rounds.length && values[end] === value) {
      tied += has[rounds[end] as number] as number
      end += 1
    }
    const rank = ranked + (tied + 1) / 2
    for (let index = start; index < end; index += 1) ranks[rounds[index] as number] = rank
    ranked += tied
    start = end
  }
  return ranked
}

/** Pearson's correlation of the ranks in those `count` rounds that `has` marks. Their mean and products are exact in a double. */
function correlate(
  rounds: Uint32Array,
  has: Uint8Array,
  count: number,
  left: Float64Array,
  right: Float64Array,
): number | null {
  const mean = (count + 1) / 2
  let covariance = 0
  let leftSquares = 0
  let rightSquares = 0
  for (const round of rounds) {
    if (has[round] === 0) continue
    const leftDistance = (left[round] as number) - mean
    const rightDistance = (right[round] as number) - mean
    covariance += leftDistance * rightDistance
    leftSquares += leftDistance * leftDistance
    rightSquares += rightDistance * rightDistance
  }
  const scale = Math.sqrt(leftSquares * rightSquares)
  return scale === 0 ? null : covariance / scale
}
