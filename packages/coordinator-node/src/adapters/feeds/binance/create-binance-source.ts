import type { FeedOffer, FeedSourceWithHistory } from '../../../ports/feed-source.ts'
import { type BinanceOptions, type BinanceSite, resolveBinanceOptions } from './binance-options.ts'
import { type BinanceRest, createBinanceRest } from './binance-rest.ts'
import { jsonObject } from './parse-market-data.ts'
import { readCandleHistory } from './read-candle-history.ts'
import { candleGranularities } from './stream-plan.ts'
import { streamRecords } from './stream-records.ts'

const sourceName = 'binance'
const exchangeInfoWeight = 20
/** Without the parameters that shorten it, it has been longer than 16 MB. */
const exchangeInfoBytes = 64 * 1024 * 1024

/**
 * The spot market of Binance, without a key: candles.
 * @example createBinanceSource({ site: 'us' })
 */
export function createBinanceSource(options: BinanceOptions = {}): FeedSourceWithHistory {
  const resolved = resolveBinanceOptions(options)
  const rest = createBinanceRest(resolved)
  return {
    describe: (signal) => describeMarket(rest, resolved.site, signal),
    stream: (scopes, _from, signal, onOpen) => streamRecords(resolved, scopes, signal, onOpen),
    async *history(scope, from, to, signal) {
      try {
        yield* readCandleHistory(rest, scope, from, to, signal)
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}

async function describeMarket(
  rest: BinanceRest,
  site: BinanceSite,
  signal: AbortSignal,
): Promise<readonly FeedOffer[]> {
  // They make the answer a third as long; Binance.US refuses what it does not know.
  const query: Readonly<Record<string, string>> =
    site === 'us' ? {} : { symbolStatus: 'TRADING', showPermissionSets: 'false' }
  const { data } = await rest.get(
    { path: '/api/v3/exchangeInfo', query, weight: exchangeInfoWeight, maxBytes: exchangeInfoBytes, signal },
    parseExchangeInfo,
  )
  if (data.weightPerMinute !== undefined) rest.limitWeight(data.weightPerMinute)
  return [{ source: sourceName, subjects: data.symbols, kind: 'candle', granularities: candleGranularities }]
}

interface ExchangeInfo {
  readonly symbols: readonly string[]
  readonly weightPerMinute: number | undefined
}

function parseExchangeInfo(body: unknown): ExchangeInfo {
  const { symbols, rateLimits } = jsonObject(body, 'it')
  if (!Array.isArray(symbols)) throw new TypeError('"symbols" is no list')
  const trading = symbols
    .map((symbol: unknown) => jsonObject(symbol, 'a symbol'))
    .filter(({ status }) => status === 'TRADING')
  const limits = Array.isArray(rateLimits) ? rateLimits.map((limit: unknown) => jsonObject(limit, 'a limit')) : []
  const weight = limits.find(
    ({ rateLimitType, interval, intervalNum }) =>
      rateLimitType === 'REQUEST_WEIGHT' && interval === 'MINUTE' && intervalNum === 1,
  )
  return {
    symbols: trading.map(({ symbol }) => String(symbol)),
    weightPerMinute: typeof weight?.limit === 'number' ? weight.limit : undefined,
  }
}
