import { afterEach, describe, expect, test } from 'vitest'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { readStream } from './testing/read-stream.ts'
import {
  expectedCandles,
  expectedTrades,
  type Frame,
  isTrade,
  isWithoutLogs,
  putTradeBefore,
  readLog,
  scopesOf,
  symbolsOf,
} from './testing/recorded-log.ts'
import { type FakeBinance, startFakeBinance } from './testing/start-fake-binance.ts'

describe.skipIf(isWithoutLogs)('real connections (skipped where ../shared/data/payloads is absent)', () => {
  let binance: FakeBinance | undefined
  afterEach(() => binance?.close())

  async function replay(name: string): Promise<{ frames: readonly Frame[]; records: readonly SourceRecord[] }> {
    const { texts, frames } = readLog(name)
    const tradeSymbols = symbolsOf(frames.filter(isTrade))
    const candleSymbols = symbolsOf(frames.filter(({ data }) => data.e === 'kline'))
    binance = await startFakeBinance({ symbols: tradeSymbols })
    for (const symbol of tradeSymbols) putTradeBefore(binance, frames, symbol)
    // No quiet time passes before everything has arrived; a last candle marks the end.
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
  ])('%s yields exactly its final candles (%i) and its trades (%i)', async (name, candleCount, tradeCount) => {
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

  test.each(['btcusdt', 'ethusdt'])('all trades of %s arrive exactly once', async (symbol) => {
    const { records } = await replay(`hftbacktest/${symbol}_spot_ws_raw_head2500.txt.gz`)
    const trades = records.map(({ values }) => values as Record<'firstId' | 'lastId' | 'count', number>)
    for (const [index, trade] of trades.entries()) {
      expect(trade.count).toBe(trade.lastId - trade.firstId + 1)
      expect(trade.firstId).toBe(index === 0 ? trade.firstId : (trades[index - 1]?.lastId ?? 0) + 1)
    }
    expect(trades.length).toBeGreaterThan(100)
  })
})
