import { readInstant } from '../../../domain/instant-text.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import type { Instant } from '../../../domain/time.ts'

// Parses what Binance sends over REST and WebSocket. Both use these functions, so that a candle has the same numbers in
// history and stream. Undocumented shapes throw a `TypeError` that names the field.

export interface Candle {
  readonly openAt: Instant
  readonly values: {
    readonly open: number
    readonly high: number
    readonly low: number
    readonly close: number
    readonly volume: number
  }
}

/** A trade, or the trades of one order at one price at the same time (an aggregated trade). */
export interface Trade {
  readonly at: Instant
  readonly price: number
  readonly quantity: number
  readonly firstId: number
  readonly lastId: number
  /** Its number among the aggregated trades of the symbol; `null` for a single trade. */
  readonly aggregateId: number | null
}

/** A row of `/api/v3/klines`: open time, open, high, low, close, volume, and values that are not used. */
export function parseCandleRow(row: unknown, granularityMs: number): Candle {
  if (!Array.isArray(row)) throw new TypeError('a candle is not a list')
  return candleOf(row, granularityMs)
}

/** The candle of a `kline` message, or `null` while it is open. */
export function parseClosedCandle(message: JsonObject, granularityMs: number): Candle | null {
  const kline = objectAt(message, 'k')
  const { t, o, h, l, c, v, x } = kline
  if (typeof x !== 'boolean') throw new TypeError('"x" is neither true nor false')
  return x ? candleOf([t, o, h, l, c, v], granularityMs) : null
}

function candleOf([openAt, open, high, low, close, volume]: readonly unknown[], granularityMs: number): Candle {
  const at = millisecond(openAt, 'open time')
  if (at % granularityMs !== 0) throw new TypeError(`the open time ${at} is not on the grid of its granularity`)
  return {
    openAt: at,
    values: {
      open: decimal(open, 'open'),
      high: decimal(high, 'high'),
      low: decimal(low, 'low'),
      close: decimal(close, 'close'),
      volume: decimal(volume, 'volume'),
    },
  }
}

/** An aggregated trade, as `/api/v3/aggTrades` and the stream `aggTrade` give it, or one of the stream `trade`. */
export function parseTrade(message: unknown): Trade {
  const trade = jsonObject(message, 'a trade')
  const isSingle = trade.e === 'trade'
  return {
    at: millisecond(trade.T, 'T'),
    price: decimal(trade.p, 'p'),
    quantity: decimal(trade.q, 'q'),
    firstId: wholeNumber(isSingle ? trade.t : trade.f, isSingle ? 't' : 'f'),
    lastId: wholeNumber(isSingle ? trade.t : trade.l, isSingle ? 't' : 'l'),
    aggregateId: isSingle ? null : wholeNumber(trade.a, 'a'),
  }
}

/** The values of a `bookTicker` message: best prices and the quantities at them. */
export function parseQuote(message: JsonObject): JsonObject {
  return {
    bid: decimal(message.b, 'b'),
    bidQuantity: decimal(message.B, 'B'),
    ask: decimal(message.a, 'a'),
    askQuantity: decimal(message.A, 'A'),
  }
}

/** The values of a partial order book. Values that need a side without orders are `null`. */
export function parseDepth(message: JsonObject): JsonObject {
  const bids = levelsOf(message.bids, 'bids')
  const asks = levelsOf(message.asks, 'asks')
  const bestBid = bids[0]?.price ?? null
  const bestAsk = asks[0]?.price ?? null
  const isTwoSided = bestBid !== null && bestAsk !== null
  const bidDepth = sumOfQuantities(bids)
  const askDepth = sumOfQuantities(asks)
  const depth = bidDepth + askDepth
  return {
    best_bid: bestBid,
    best_ask: bestAsk,
    spread: isTwoSided ? bestAsk - bestBid : null,
    mid: isTwoSided ? (bestBid + bestAsk) / 2 : null,
    bid_depth: bidDepth,
    ask_depth: askDepth,
    imbalance: depth === 0 ? null : (bidDepth - askDepth) / depth,
  }
}

interface Level {
  readonly price: number
  readonly quantity: number
}

function levelsOf(value: unknown, name: string): Level[] {
  if (!Array.isArray(value)) throw new TypeError(`"${name}" is not a list`)
  return value.map((level: unknown) => {
    if (!Array.isArray(level)) throw new TypeError(`a level of "${name}" is not a list`)
    return { price: decimal(level[0], name), quantity: decimal(level[1], name) }
  })
}

function sumOfQuantities(levels: readonly Level[]): number {
  return levels.reduce((sum, level) => sum + level.quantity, 0)
}

export function jsonObject(value: unknown, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name} is not an object`)
  return value as JsonObject
}

function objectAt(message: JsonObject, key: string): JsonObject {
  return jsonObject(message[key], `"${key}"`)
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new TypeError(`"${name}" is not a whole number`)
}

function millisecond(value: unknown, name: string): Instant {
  const at = wholeNumber(value, name)
  const reading = readInstant(at)
  if (reading.at === undefined || reading.format === 'ms') return at
  // A proxy may have requested microseconds from Binance.
  throw new TypeError(`"${name}" is ${at}, which is not in milliseconds`)
}

/** Prices and quantities are strings. */
function decimal(value: unknown, name: string): number {
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value)
  throw new TypeError(`"${name}" is not a decimal number`)
}
