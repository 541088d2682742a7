import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { FeedScope } from '../../../../domain/feed-record.ts'
import type { TradeRow } from './fake-market.ts'
import type { FakeBinance } from './start-fake-binance.ts'

// Recordings of real connections are stored outside the repository, because several have no licence.
const folder = fileURLToPath(new URL('../../../../../../../../shared/data/payloads/binance/', import.meta.url))

/** Whether to skip tests of the recordings: they are absent, and this is not CI. */
export const isWithoutLogs = !existsSync(folder) && process.env.CI !== 'true'

export interface Frame {
  readonly stream: string
  // Reads the log independently of our code, to derive the expected records.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
  readonly data: any
}

export function readLog(name: string): { readonly texts: readonly string[]; readonly frames: readonly Frame[] } {
  const lines = gunzipSync(readFileSync(`${folder}${name}`))
    .toString('utf8')
    .split('\n')
  const texts = lines.flatMap((line) => /\{"stream".*$/.exec(line)?.[0] ?? [])
  return { texts, frames: texts.map((text) => JSON.parse(text) as Frame) }
}

export const isTrade = ({ data }: Frame) => data.e === 'aggTrade' || data.e === 'trade'
export const symbolsOf = (frames: readonly Frame[]) => [...new Set(frames.map(({ data }) => data.s as string))]

/** One record per symbol and millisecond, derived from the log alone. */
export function expectedTrades(frames: readonly Frame[], symbol: string) {
  const ofSymbol = frames.filter((frame) => isTrade(frame) && frame.data.s === symbol).map(({ data }) => data)
  return [...new Set(ofSymbol.map((data) => data.T as number))].map((at) => {
    const together = ofSymbol.filter((data) => data.T === at)
    const ids = together.flatMap((data) => [data.f ?? data.t, data.l ?? data.t] as number[])
    const counts = together.map((data) => (data.e === 'trade' ? 1 : data.l - data.f + 1))
    return {
      at,
      price: Number(together.at(-1).p),
      quantity: together.map((data) => Number(data.q)).reduce((sum, quantity) => sum + quantity),
      firstId: Math.min(...ids),
      lastId: Math.max(...ids),
      count: counts.reduce((sum, count) => sum + count),
    }
  })
}

export function expectedCandles(frames: readonly Frame[]) {
  const closed = frames.filter(({ data }) => data.e === 'kline' && data.k.x).map(({ data }) => data.k)
  return closed.map((k) => ({
    ...{ source: 'binance', subject: k.s, kind: 'candle', granularity: '1m', eventAt: k.t, knownAt: k.T + 1 },
    values: { open: Number(k.o), high: Number(k.h), low: Number(k.l), close: Number(k.c), volume: Number(k.v) },
  }))
}

export const scopesOf = (symbols: readonly string[], kind: string): FeedScope[] =>
  symbols.map((subject) => ({ source: 'binance', subject, kind, granularity: '1m' }))

/** The history also has the trades before the log. */
export function putTradeBefore(binance: FakeBinance, frames: readonly Frame[], symbol: string): void {
  const first = frames.find(({ data }) => data.e === 'aggTrade' && data.s === symbol)?.data
  if (first === undefined) return
  const { a, f, T, p, q } = first as TradeRow
  binance.market.putTrade(symbol, { a: a - 1, f: f - 1, l: f - 1, T: T - 1, p, q })
}
