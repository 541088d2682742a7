/**
 * Everything to write a contract, the file that defines a competition. Its types are inferred from its schemas. This complete one
 * asks every minute where the price of BTC will be in five minutes:
 *
 * ```ts
 * import { bars, candles, defineContract, tiers } from '@crunch/coordinator-node'
 * import { z } from 'zod'
 *
 * const market = candles({ source: 'binance', subjects: ['BTCUSDT'], granularity: '1m' })
 * const bar = bars(market) // bar(5) is five candles: five minutes
 *
 * export default defineContract({
 *   name: 'next-move',
 *   feed: market,
 *   input: {
 *     schema: z.object({ subject: z.string(), closes: z.array(z.number()) }),
 *     window: bar(120),
 *     build: ({ subject, records }) => ({ subject, closes: records.map((record) => record.values.close) }),
 *   },
 *   prediction: {
 *     schema: z.object({ value: z.number().min(-1).max(1) }), // -1: certainly down, 1: certainly up
 *     schedule: [{ subject: 'BTCUSDT', every: bar(1), horizon: bar(5) }],
 *     timeout: '10s',
 *   },
 *   truth: {
 *     schema: z.object({ return: z.number() }),
 *     resolve: ({ entry, exit }) => ({ return: exit.values.close / entry.values.close - 1 }),
 *   },
 *   score: {
 *     schema: z.object({ value: z.number() }), // basis points earned by a position of that size
 *     compute: ({ output, truth }) => ({ value: output.value * truth.return * 10_000 }),
 *   },
 *   snapshot: { every: bar(10) },
 *   leaderboard: { value: 'value', windows: { day: '24h' }, rankBy: 'day', direction: 'desc' },
 *   checkpoint: { every: '7d', emission: tiers() },
 * })
 * ```
 *
 * `./testing` simulates it, `crunch check` validates it, `crunch deploy` runs it.
 *
 * @packageDocumentation
 */

export type { InputOf, PredictionOf, ScoreOf, TruthOf } from './contract/contract-values.ts'
export {
  type AnyContract,
  type CrunchContract,
  defineContract,
  type RoundContext,
} from './contract/crunch-contract.ts'
export { type ProportionalOptions, proportional, type SoftmaxOptions, softmax } from './contract/defaults/by-value.ts'
export type { Emission, PayAbove, PayoutContext, RankedModel } from './contract/defaults/emission.ts'
export { type TierOptions, tiers } from './contract/defaults/tiers.ts'
export { bars, candles, type FeedDefinition, series, ticks } from './contract/feed-definition.ts'
export type { GateOptions } from './contract/gate-options.ts'
export { placesBy } from './contract/ranking/places-by.ts'
export type {
  AggregateContext,
  Places,
  RankableModel,
  RankContext,
  WindowScore,
} from './contract/ranking/ranking-options.ts'
export type { FeedRecord } from './domain/feed-record.ts'
export type { MetricName } from './domain/statistics/metrics.ts'
export type { Duration, Instant } from './domain/time.ts'
export type { ModelArgument } from './ports/model-runner.ts'
