import { CrunchError } from '../../../domain/errors.ts'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { durationMs } from '../../../domain/time.ts'
import { createCandleSeries, type MarketSeries } from './market-series.ts'

/** Candles whose lengths never vary and whose grid is the one from the epoch; three days and a week begin elsewhere. */
export const candleGranularities: readonly string[] = [
  ...['1s', '1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d'],
]

/** Most streams of one connection. */
const maxStreams = 1_024

/** What to subscribe to, and what becomes of each message by the stream it comes from. */
export interface StreamPlan {
  readonly names: readonly string[]
  readonly seriesByName: ReadonlyMap<string, readonly MarketSeries[]>
}

/** Throws a `CrunchError` FEED_UNAVAILABLE for a series that Binance cannot have. */
export function planStreams(scopes: readonly FeedScope[]): StreamPlan {
  const seriesByName = new Map<string, MarketSeries[]>()
  for (const scope of scopes) {
    const name = streamName(scope)
    seriesByName.set(name, [...(seriesByName.get(name) ?? []), seriesOf(scope)])
  }
  if (seriesByName.size > maxStreams) {
    const problem = `Binance carries ${maxStreams} streams over one connection, and ${seriesByName.size} were asked for`
    throw new CrunchError('FEED_UNAVAILABLE', `${problem}: follow fewer subjects`)
  }
  return { names: [...seriesByName.keys()], seriesByName }
}

function streamName(scope: FeedScope): string {
  const symbol = scope.subject.toLowerCase()
  if (/[\s/?#&%@"\\]/.test(symbol)) throw unknown(scope, `"${scope.subject}" is no symbol`)
  switch (scope.kind) {
    case 'candle':
      if (!candleGranularities.includes(scope.granularity)) {
        throw unknown(scope, `there are candles of ${candleGranularities.join(', ')}`)
      }
      return `${symbol}@kline_${scope.granularity}`
    default:
      throw unknown(scope, 'its kinds are candle')
  }
}

function seriesOf(scope: FeedScope): MarketSeries {
  return createCandleSeries(scope, durationMs(scope.granularity))
}

function unknown(scope: FeedScope, cause: string): CrunchError {
  return new CrunchError('FEED_UNAVAILABLE', `Binance has no series ${feedScopeKey(scope)}: ${cause}`)
}
