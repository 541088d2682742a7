import type { Instant } from '../../../../domain/time.ts'
import type { SourceRecord } from '../../../../ports/feed-source.ts'

/** A candle in numbers; Binance sends strings with eight decimals. */
export interface FakeCandle {
  readonly symbol: string
  /** The interval as Binance writes it, e.g. `1m`. */
  readonly interval: string
  readonly openAt: Instant
  readonly closeAt: Instant
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
}

/** The candle that a record of one minute was made from. */
export function fakeCandle({ subject, eventAt, knownAt, values }: SourceRecord): FakeCandle {
  const prices = values as Record<'open' | 'high' | 'low' | 'close' | 'volume', number>
  return { symbol: subject, interval: '1m', openAt: eventAt, closeAt: knownAt, ...prices }
}

export interface FakeTrade {
  readonly symbol: string
  readonly at: Instant
  readonly price: number
  readonly quantity: number
  /** Number of trades that it aggregates; default 1. */
  readonly count?: number
}

/** A row of `/api/v3/klines`, or of `/api/v3/aggTrades`. */
export type CandleRow = readonly (string | number)[]
export type TradeRow = Readonly<Record<'a' | 'f' | 'l' | 'T', number>> & Readonly<Record<'p' | 'q', string>>

/** The stored data of a fake exchange, in the shape of its answers. */
export interface FakeMarket {
  /** Stores a candle; a later version replaces an earlier one with the same open time. */
  putCandle(symbol: string, interval: string, row: CandleRow): void
  /** Numbers and stores a trade. */
  addTrade(trade: FakeTrade): TradeRow
  putTrade(symbol: string, row: TradeRow): void
  candles(query: URLSearchParams): readonly CandleRow[]
  trades(query: URLSearchParams): readonly TradeRow[]
}

export function createFakeMarket(): FakeMarket {
  const candles = new Map<string, Map<number, CandleRow>>()
  const trades = new Map<string, TradeRow[]>()
  const tradesOf = (symbol: string) => {
    const rows = trades.get(symbol) ?? []
    trades.set(symbol, rows)
    return rows
  }
  return {
    putCandle(symbol, interval, row) {
      const key = `${symbol} ${interval}`
      candles.set(key, (candles.get(key) ?? new Map()).set(Number(row[0]), row))
    },
    addTrade({ symbol, at, price, quantity, count = 1 }) {
      const rows = tradesOf(symbol)
      const firstId = (rows.at(-1)?.l ?? -1) + 1
      const row = { a: rows.length, p: decimal(price), q: decimal(quantity), f: firstId, l: firstId + count - 1, T: at }
      rows.push(row)
      return row
    },
    putTrade: (symbol, row) => void tradesOf(symbol).push(row),
    candles(query) {
      const rows = [...(candles.get(`${query.get('symbol')} ${query.get('interval')}`)?.values() ?? [])]
      const within = rows.filter((row) => isWithin(query, Number(row[0])))
      return within.sort((one, other) => Number(one[0]) - Number(other[0])).slice(0, limitOf(query))
    },
    trades(query) {
      const fromId = query.get('fromId')
      const rows = tradesOf(query.get('symbol') ?? '')
      const wanted = rows.filter((row) => (fromId === null ? isWithin(query, row.T) : row.a >= Number(fromId)))
      return wanted.slice(0, limitOf(query))
    },
  }
}

export function candleRow(candle: FakeCandle): CandleRow {
  const { openAt, closeAt, open, high, low, close, volume } = candle
  const prices = [open, high, low, close, volume].map(decimal)
  return [openAt, ...prices, closeAt - 1, '0.00000000', 1, '0.00000000', '0.00000000', '0']
}

export function candleStream({ symbol, interval }: FakeCandle): string {
  return `${symbol.toLowerCase()}@kline_${interval}`
}

export function tradeStream(symbol: string): string {
  return `${symbol.toLowerCase()}@aggTrade`
}

/** The same candle as a message of its stream. */
export function candleMessage(candle: FakeCandle, isClosed: boolean): object {
  const { symbol, interval, openAt, closeAt } = candle
  const [, o, h, l, c, v] = candleRow(candle)
  const kline = { t: openAt, T: closeAt - 1, s: symbol, i: interval, f: 1, L: 1, o, c, h, l, v, n: 1, x: isClosed }
  return { e: 'kline', E: isClosed ? closeAt : openAt, s: symbol, k: kline }
}

export function tradeMessage(symbol: string, row: TradeRow): object {
  return { e: 'aggTrade', E: row.T, s: symbol, ...row, m: true, M: true }
}

function decimal(value: number): string {
  return value.toFixed(8)
}

function isWithin(query: URLSearchParams, at: Instant): boolean {
  return at >= Number(query.get('startTime') ?? 0) && at <= Number(query.get('endTime') ?? Number.MAX_SAFE_INTEGER)
}

function limitOf(query: URLSearchParams): number {
  return Math.min(1_000, Number(query.get('limit') ?? 500))
}
