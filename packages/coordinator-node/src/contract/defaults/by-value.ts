import { present } from '../../domain/errors.ts'
import { type Emission, floorPart, type PayAbove, type RankedModel } from './emission.ts'

/** Options of `proportional()`. */
export interface ProportionalOptions {
  /** The value whose share is 0, in the unit of the score. Default: the value of the floor, or 0 without a floor. */
  readonly zeroAt?: number
  /** The floor: a baseline, or a value. Only strictly better models are paid. Default: no floor. */
  readonly payAbove?: PayAbove
}

/** Options of `softmax()`. */
export interface SoftmaxOptions {
  /** The lead, in the unit of the score, that multiplies a share by e = 2.718…: the smaller, the more goes to the best. Default: 1. */
  readonly temperature?: number
  /** The floor: a baseline, or a value. Only strictly better models are paid. Default: no floor. */
  readonly payAbove?: PayAbove
}

/**
 * Pays in proportion to how much better a value is than `zeroAt`; values that are not better get nothing. If none is better, all get
 * equal shares. Where lower is better, it needs `payAbove` or `zeroAt`: without them, its shares throw, which the check of the
 * contract reports. If the contract orders the models itself, models that it orders against their values share equally.
 * @example proportional({ payAbove: { baseline: 'flat' } })
 */
export function proportional({ zeroAt, payAbove }: ProportionalOptions = {}): Emission {
  return {
    name: 'proportional',
    ...floorPart(payAbove),
    parameters: zeroAt === undefined ? {} : { zeroAt },
    shares(ranked, { direction, floor }) {
      if (zeroAt === undefined && floor === null && direction === 'asc') {
        throw new RangeError(
          'proportional() pays for values better than 0, and where lower is better a value below 0 is rare: ' +
            'add payAbove, such as a baseline, or zeroAt, the value that is paid nothing',
        )
      }
      const zero = zeroAt ?? floor ?? 0
      // Divided first, because a difference of extreme values is infinite.
      const scale = ranked.reduce((largest, { value }) => Math.max(largest, Math.abs(value)), Math.abs(zero)) || 1
      const sign = direction === 'desc' ? 1 : -1
      return sharesByRank(
        ranked,
        ranked.map(({ value }) => Math.max(0, sign * (value / scale - zero / scale))),
      )
    },
  }
}

/**
 * Pays in proportion to `exp(value / temperature)`, or `exp(-value / temperature)` where lower is better: a share depends on how far a
 * value is behind the best, not on where 0 is. A temperature that is not a positive number makes its shares throw, which the
 * check of the contract reports. If the contract orders the models itself, models that it orders against their values share equally.
 * @example softmax({ temperature: 0.01, payAbove: { baseline: 'flat' } })
 */
export function softmax({ temperature = 1, payAbove }: SoftmaxOptions = {}): Emission {
  return {
    name: 'softmax',
    ...floorPart(payAbove),
    parameters: { temperature },
    shares(ranked, { direction }) {
      if (!(temperature > 0)) throw new RangeError(`softmax(): the temperature ${temperature} is not a positive number`)
      const sign = direction === 'desc' ? 1 : -1
      const best = ranked.reduce((most, { value }) => Math.max(most, sign * value), Number.NEGATIVE_INFINITY)
      return sharesByRank(
        ranked,
        ranked.map(({ value }) => Math.exp((sign * value - best) / temperature)),
      )
    },
  }
}

interface Block {
  readonly weight: number
  readonly count: number
}

/**
 * Percentages in proportion to weights that never rise with the rank: equal ranks get the mean of their weights, and so do places whose
 * weights rise (isotonic regression by pooling adjacent violators).
 */
function sharesByRank(ranked: readonly RankedModel[], weights: readonly number[]): number[] {
  const blocks: Block[] = []
  for (let first = 0; first < ranked.length; ) {
    const { rank } = present(ranked[first], 'a ranked model')
    let block: Block = { weight: 0, count: 0 }
    for (; ranked[first]?.rank === rank; first += 1) block = pooled(block, weights[first], 1)
    for (let last = blocks.at(-1); last !== undefined && last.weight < block.weight; last = blocks.at(-1)) {
      block = pooled(last, block.weight, block.count)
      blocks.pop()
    }
    blocks.push(block)
  }
  const sum = blocks.reduce((all, { weight, count }) => all + weight * count, 0)
  return blocks.flatMap(({ weight, count }) =>
    new Array<number>(count).fill(sum === 0 ? 100 / ranked.length : (weight / sum) * 100),
  )
}

/** @param weight mean of `count` weights */
function pooled(block: Block, weight: number | undefined, count: number): Block {
  const all = block.count + count
  return { weight: (block.weight * block.count + present(weight, 'a weight') * count) / all, count: all }
}
