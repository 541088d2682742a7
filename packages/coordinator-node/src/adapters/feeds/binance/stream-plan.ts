import { CrunchError } from '../../../domain/errors.ts'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { groupBy } from '../../../domain/group-by.ts'
import { durationMs } from '../../../domain/time.ts'
import { createCandleSeries, createSampledSeries, type MarketSeries } from './market-series.ts'
import { parseDepth, parseQuote } from './parse-market-data.ts'
import { createTradeSeries, type TradeSeriesOptions } from './trade-series.ts'

/** Candles of constant length on a grid from the epoch. Candles of three days and of a week start elsewhere. */
const candleGranularities: readonly string[] = '1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d'.split(' ')

/** What Binance offers for each symbol. For events without a grid, the author chooses the granularity. */
export const marketKinds: ReadonlyMap<string, readonly string[] | 'any'> = new Map<string, readonly string[] | 'any'>([
  ['candle', candleGranularities],
  ['tick', 'any'],
  ['trade', 'any'],
  ['quote', 'any'],
  ['depth', 'any'],
])

/** Maximum number of streams per connection. */
const maxStreams = 1_024

export interface StreamPlanOptions {
  readonly depthLevels: number
  readonly trades: (symbol: string) => TradeSeriesOptions
}

/** The streams to subscribe to, and the series that are made from each. */
export interface StreamPlan {
  readonly names: readonly string[]
  readonly seriesByName: ReadonlyMap<string, readonly MarketSeries[]>
}

/** Throws a `CrunchError` FEED_UNAVAILABLE for a series that Binance does not offer. */
export function planStreams(scopes: readonly FeedScope[], options: StreamPlanOptions): StreamPlan {
  const distinct = new Map(scopes.map((scope) => [feedScopeKey(scope), scope])).values()
  const scopesByName = groupBy(distinct, (scope) => streamName(scope, options))
  if (scopesByName.size > maxStreams) {
    const problem = `Binance allows ${maxStreams} streams per connection, but ${scopesByName.size} were requested`
    throw new CrunchError('FEED_UNAVAILABLE', `${problem}: follow fewer subjects`)
  }
  const seriesByName = new Map<string, readonly MarketSeries[]>()
  for (const [name, scopesOfName] of scopesByName) {
    const series = seriesOf(scopesOfName, options)
    seriesByName.set(name, series)
    // Single trades are grouped in the same way as aggregated ones.
    if (name.endsWith('@aggTrade')) seriesByName.set(name.replace('@aggTrade', '@trade'), series)
  }
  return { names: [...scopesByName.keys()], seriesByName }
}

function streamName(scope: FeedScope, options: StreamPlanOptions): string {
  const symbol = scope.subject.toLowerCase()
  if (symbol === '' || /[\s/?#&%@"\\]/.test(symbol)) throw unknown(scope, `"${scope.subject}" is not a symbol`)
  switch (scope.kind) {
    case 'candle':
      if (candleGranularities.includes(scope.granularity)) return `${symbol}@kline_${scope.granularity}`
      throw unknown(scope, `it has candles of ${candleGranularities.join(', ')}`)
    case 'tick':
    case 'trade':
      return `${symbol}@aggTrade`
    case 'quote':
      return `${symbol}@bookTicker`
    case 'depth':
      return `${symbol}@depth${options.depthLevels}@100ms`
    default:
      throw unknown(scope, `it has the kinds ${[...marketKinds.keys()].join(', ')}`)
  }
}

/** Makes the series of one stream, whose scopes share the subject and, for candles, the granularity. */
function seriesOf(scopes: readonly FeedScope[], options: StreamPlanOptions): readonly MarketSeries[] {
  const [{ kind, subject }] = scopes as [FeedScope]
  if (kind === 'tick' || kind === 'trade') return [createTradeSeries(scopes, options.trades(subject))]
  return scopes.map((scope) => {
    const granularityMs = durationMs(scope.granularity)
    if (kind === 'candle') return createCandleSeries(scope, granularityMs)
    return createSampledSeries(scope, granularityMs, kind === 'quote' ? parseQuote : parseDepth)
  })
}

function unknown(scope: FeedScope, cause: string): CrunchError {
  return new CrunchError('FEED_UNAVAILABLE', `Binance has no series ${feedScopeKey(scope)}: ${cause}`)
}
