import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { createBinanceSource } from './create-binance-source.ts'
import type { TradeRow } from './testing/fake-market.ts'
import { readStream } from './testing/read-stream.ts'
import { type FakeBinance, startFakeBinance } from './testing/start-fake-binance.ts'

// What real connections received lies beside the repository, not in it: several sets carry no licence.
const folder = fileURLToPath(new URL('../../../../../../../shared/data/payloads/binance/', import.meta.url))
const isThere = existsSync(folder)
const isRequired = process.env.CI === 'true'

interface Frame {
  readonly stream: string
  // Read as the log has it, to expect what our code should have read.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
  readonly data: any
}

function readLog(name: string): { readonly texts: readonly string[]; readonly frames: readonly Frame[] } {
  const lines = gunzipSync(readFileSync(`${folder}${name}`))
    .toString('utf8')
    .split('\n')
  const texts = lines.flatMap((line) => /\{"stream".*$/.exec(line)?.[0] ?? [])
  return { texts, frames: texts.map((text) => JSON.parse(text) as Frame) }
}

const isTrade = ({ data }: Frame) => data.e === 'aggTrade' || data.e === 'trade'
const symbolsOf = (frames: readonly Frame[]) => [...new Set(frames.map(({ data }) => data.s as string))]

/** One record a symbol and millisecond, worked out from the log alone. */
function expectedTrades(frames: readonly Frame[], symbol: string) {
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

function expectedCandles(frames: readonly Frame[]) {
  const closed = frames.filter(({ data }) => data.e === 'kline' && data.k.x).map(({ data }) => data.k)
  return closed.map((k) => ({
    ...{ source: 'binance', subject: k.s, kind: 'candle', granularity: '1m', eventAt: k.t, knownAt: k.T + 1 },
    values: { open: Number(k.o), high: Number(k.h), low: Number(k.l), close: Number(k.c), volume: Number(k.v) },
  }))
}

const scopesOf = (symbols: readonly string[], kind: string): FeedScope[] =>
  symbols.map((subject) => ({ source: 'binance', subject, kind, granularity: '1m' }))

/** The history knows what came before the log. */
function putTradeBefore(binance: FakeBinance, frames: readonly Frame[], symbol: string): void {
  const first = frames.find(({ data }) => data.e === 'aggTrade' && data.s === symbol)?.data
  if (first === undefined) return
  const { a, f, T, p, q } = first as TradeRow
  binance.market.putTrade(symbol, { a: a - 1, f: f - 1, l: f - 1, T: T - 1, p, q })
}

describe.skipIf(!isThere && !isRequired)('real connections (skipped where ../shared/data/payloads is absent)', () => {
  let binance: FakeBinance | undefined
  afterEach(() => binance?.close())

  async function replay(name: string): Promise<{ frames: readonly Frame[]; records: readonly SourceRecord[] }> {
    const { texts, frames } = readLog(name)
    const tradeSymbols = symbolsOf(frames.filter(isTrade))
    const candleSymbols = symbolsOf(frames.filter(({ data }) => data.e === 'kline'))
    binance = await startFakeBinance({ symbols: tradeSymbols })
    for (const symbol of tradeSymbols) putTradeBefore(binance, frames, symbol)
    // Nothing is quiet until all has arrived, which a last candle tells.
    let now = 0
    const last = {
      symbol: 'LAST',
      interval: '1m',
      openAt: 0,
      closeAt: 60_000,
      open: 1,
      high: 1,
      low: 1,
      close: 1,
      volume: 1,
    }
    const { restUrl, streamUrl } = binance
    const source = createBinanceSource({ restUrl, streamUrl, quietMs: 1, now: () => now })
    const candleScopes = scopesOf([...candleSymbols, last.symbol], 'candle')
    const reader = readStream(source, [...candleScopes, ...scopesOf(tradeSymbols, 'trade')])
    const connection = await binance.connected(1)
    for (const text of texts) connection.send(text)
    binance.publishCandle(last)
    const tradeCount = tradeSymbols.flatMap((symbol) => expectedTrades(frames, symbol)).length
    const count = tradeCount + expectedCandles(frames).length
    await reader.untilSome(({ subject }) => subject === last.symbol)
    now = 1
    await reader.until(count + 1)
    await reader.stop()
    const records = reader.records.filter(({ subject }) => subject !== last.symbol)
    expect(records).toHaveLength(count)
    return { frames, records }
  }

  test.each([
    ['cryptofeed/BINANCE.ws.1.0.txt.gz', 0, 2],
    ['cryptofeed/BINANCE_US.ws.1.0.txt.gz', 1, 11],
    ['cryptofeed/BINANCE_FUTURES.ws.1.0.txt.gz', 4, 91],
    ['hftbacktest/btcusdt_spot_ws_raw_head2500.txt.gz', 0, 408],
    ['hftbacktest/ethusdt_spot_ws_raw_head2500.txt.gz', 0, 352],
  ])('%s gives exactly its final candles (%i) and its trades (%i)', async (name, candleCount, tradeCount) => {
    const { frames, records } = await replay(name)
    const candles = records.filter(({ kind }) => kind === 'candle')
    expect(candles).toEqual(expectedCandles(frames))
    expect(candles).toHaveLength(candleCount)
    expect(frames.filter(isTrade)).toHaveLength(tradeCount)
    for (const symbol of symbolsOf(frames.filter(isTrade))) {
      const trades = records.filter(({ kind, subject }) => kind === 'trade' && subject === symbol)
      expect(trades.map(({ eventAt, values }) => ({ at: eventAt, ...values }))).toEqual(expectedTrades(frames, symbol))
      expect(trades.map(({ knownAt }) => knownAt)).toEqual(trades.map(({ eventAt }) => eventAt))
    }
  })

  test.each(['btcusdt', 'ethusdt'])(
    'the trades of %s are all there: no number is missing, none came twice',
    async (symbol) => {
      const { records } = await replay(`hftbacktest/${symbol}_spot_ws_raw_head2500.txt.gz`)
      const trades = records.map(({ values }) => values as Record<'firstId' | 'lastId' | 'count', number>)
      for (const [index, trade] of trades.entries()) {
        expect(trade.count).toBe(trade.lastId - trade.firstId + 1)
        expect(trade.firstId).toBe(index === 0 ? trade.firstId : (trades[index - 1]?.lastId ?? 0) + 1)
      }
      expect(trades.length).toBeGreaterThan(100)
    },
  )
})
