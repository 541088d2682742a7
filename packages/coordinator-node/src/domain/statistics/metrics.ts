import { meanRankCorrelations } from './mean-rank-correlations.ts'
import { rankCorrelation } from './rank-correlation.ts'
import { mapInSlices, type SlicedWork } from './sliced-work.ts'

/**
 * The metrics of a snapshot, each over one model's valid scores of one period; `null` where they are too few or do not vary.
 * - `ic`: information coefficient, Spearman's correlation of signal and actual, -1 to 1.
 * - `hit_rate`: share of predictions whose signal has the sign of the actual, 0 to 1.
 * - `max_drawdown`: deepest fall of the summed ranking value below its peak, in the unit of the score; 0 or negative.
 * - `model_correlation`: mean Spearman correlation of the signals with those of each other model, -1 to 1.
 */
export type MetricName = 'ic' | 'hit_rate' | 'max_drawdown' | 'model_correlation'

/** One scored prediction as metrics see it. */
export interface MetricPoint {
  readonly roundId: string
  /** The ranking value of the score. */
  readonly value: number
  readonly signal: number | null
  readonly actual: number | null
}

/** A model's valid scores of a period, oldest first. */
export type MetricPoints = readonly MetricPoint[]

interface Metric {
  readonly needs: readonly ('signal' | 'actual')[]
  /** The metric of each model, in the order of `models`; `null` where it is not defined on these data. */
  compute(models: readonly MetricPoints[]): SlicedWork<readonly (number | null)[]>
}

/** Takes a few milliseconds. */
const pointsPerSlice = 2_000

/** The metrics by name, with their requirements on the contract and their computation. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  /** Information coefficient: Spearman's correlation of signal and actual, ties at their average rank. */
  ic: {
    needs: ['signal', 'actual'],
    compute: ofEach((points) => {
      const pairs = signalPairs(points)
      return rankCorrelation(
        pairs.map((pair) => pair.signal),
        pairs.map((pair) => pair.actual),
      )
    }),
  },
  /** Share of predictions whose signal has the sign of the actual. */
  hit_rate: {
    needs: ['signal', 'actual'],
    compute: ofEach((points) => {
      const pairs = signalPairs(points)
      if (pairs.length === 0) return null
      return pairs.filter((pair) => Math.sign(pair.signal) === Math.sign(pair.actual)).length / pairs.length
    }),
  },
  /** The deepest fall of the summed ranking value below its own highest point, from 0; never positive. */
  max_drawdown: {
    needs: [],
    compute: ofEach((points) => {
      if (points.length === 0) return null
      let sum = 0
      let peak = 0
      let deepest = 0
      for (const point of points) {
        sum += point.value
        peak = Math.max(peak, sum)
        deepest = Math.min(deepest, sum - peak)
      }
      return deepest
    }),
  },
  /** The mean Spearman correlation with each other model, over the rounds that both answered. */
  model_correlation: {
    needs: ['signal'],
    compute: (models) => meanRankCorrelations(models.map(signalByRound)),
  },
}

/** A metric of a single model. */
function ofEach(compute: (points: MetricPoints) => number | null): Metric['compute'] {
  return (models) => mapInSlices(models, pointsPerSlice, (points) => points.length, compute)
}

function signalPairs(points: MetricPoints): { readonly signal: number; readonly actual: number }[] {
  return points.flatMap(({ signal, actual }) => (signal === null || actual === null ? [] : [{ signal, actual }]))
}

function signalByRound(points: MetricPoints): Map<string, number> {
  return new Map(points.flatMap(({ roundId, signal }) => (signal === null ? [] : [[roundId, signal] as const])))
}
