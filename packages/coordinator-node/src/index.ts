export {
  type AnyContract,
  type CrunchContract,
  defineContract,
  type RoundContext,
} from './contract/crunch-contract.ts'
export { type Emission, type RankedModel, tiers } from './contract/defaults/tiers.ts'
export { bars, candles, type FeedDefinition, series, ticks } from './contract/feed-definition.ts'
export type { GateOptions } from './contract/gate-options.ts'
export type { FeedRecord } from './domain/feed-record.ts'
export type { MetricName } from './domain/statistics/metrics.ts'
export type { Duration, Instant } from './domain/time.ts'
export type { ModelArgument } from './ports/model-runner.ts'
