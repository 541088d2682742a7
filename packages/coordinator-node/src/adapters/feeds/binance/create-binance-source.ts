import type { FeedOffer, FeedSourceWithHistory } from '../../../ports/feed-source.ts'
import { type BinanceOptions, resolveBinanceOptions } from './binance-options.ts'
import { type BinancePorts, createBinanceRest } from './binance-rest.ts'
import { jsonObject } from './parse-market-data.ts'
import { readCandleHistory } from './read-candle-history.ts'
import { readTradeHistory } from './read-trade-history.ts'
import { marketKinds } from './stream-plan.ts'
import { streamRecords } from './stream-records.ts'

const sourceName = 'binance'
const exchangeInfoWeight = 20
/** Size limit of the exchange information: without the parameters that shorten it, it has exceeded 16 MB. */
const exchangeInfoBytes = 64 * 1024 * 1024

/**
 * The spot market of Binance; needs no key. For every traded symbol:
 * - `candle`, `{ open, high, low, close, volume }`, once closed
 * - `tick`, `{ price }`, and `trade`, `{ price, quantity, firstId, lastId, count }`: one record for all trades of a millisecond
 * - `quote`, `{ bid, bidQuantity, ask, askQuantity }`, and `depth`, `{ best_bid, best_ask, spread, mid, bid_depth, ask_depth,
 *   imbalance }`, both sampled on the grid of their granularity by the clock of this machine, because they carry no time
 *
 * Candles and trades have a history. Binance keeps none for quotes and depth, so theirs is empty.
 * @example createBinanceSource({ site: 'us' })
 */
export function createBinanceSource(options: BinanceOptions = {}): FeedSourceWithHistory {
  const resolved = resolveBinanceOptions(options)
  const ports: BinancePorts = { options: resolved, rest: createBinanceRest(resolved) }
  return {
    describe: (signal) => describeMarket(ports, signal),
    stream: (scopes, _from, signal, onOpen) => streamRecords(ports, scopes, signal, onOpen),
    async *history(scope, from, to, signal) {
      const read = historyReaders[scope.kind]
      try {
        if (read !== undefined) yield* read(ports, scope, from, to, signal)
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}

/** History reader by kind; other kinds have no history. */
const historyReaders: Readonly<Record<string, typeof readCandleHistory>> = {
  candle: readCandleHistory,
  tick: readTradeHistory,
  trade: readTradeHistory,
}

async function describeMarket({ options, rest }: BinancePorts, signal: AbortSignal): Promise<readonly FeedOffer[]> {
  // These parameters reduce the answer to a third; Binance.US refuses parameters that it does not know.
  const query: Readonly<Record<string, string>> =
    options.site === 'us' ? {} : { symbolStatus: 'TRADING', showPermissionSets: 'false' }
  const { data } = await rest.get(
    { path: '/api/v3/exchangeInfo', query, weight: exchangeInfoWeight, maxBytes: exchangeInfoBytes, signal },
    parseExchangeInfo,
  )
  if (data.weightPerMinute !== undefined) rest.limitWeight(data.weightPerMinute)
  return [...marketKinds].map(([kind, granularities]) => ({
    source: sourceName,
    subjects: data.symbols,
    kind,
    granularities,
  }))
}

interface ExchangeInfo {
  readonly symbols: readonly string[]
  readonly weightPerMinute: number | undefined
}

function parseExchangeInfo(body: unknown): ExchangeInfo {
  const { symbols, rateLimits } = jsonObject(body, 'it')
  if (!Array.isArray(symbols)) throw new TypeError('"symbols" is not a list')
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
