import { describe, expect, test } from 'vitest'
import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { candleMessage, candleStream, fakeCandle, tradeMessage, tradeStream } from './testing/fake-market.ts'
import { readStream } from './testing/read-stream.ts'
import { startFakeBinance } from './testing/start-fake-binance.ts'

feedSourceTestsuite('binance, candles', {
  source: 'binance',
  resumes: false,
  batchesInstants: false,
  async open(records) {
    const candles = records.map(fakeCandle)
    const binance = await startFakeBinance({
      onConnect(connection) {
        for (const candle of candles) {
          connection.offer(candleStream(candle), candleMessage({ ...candle, close: 1 }, false))
          connection.offer(candleStream(candle), candleMessage(candle, true))
        }
      },
    })
    for (const candle of candles) binance.publishCandle(candle)
    const { restUrl, streamUrl } = binance
    return { source: createBinanceSource({ restUrl, streamUrl }), close: () => binance.close() }
  },
})

feedSourceTestsuite('binance, ticks', {
  source: 'binance',
  kind: 'tick',
  resumes: false,
  batchesInstants: false,
  async open(records) {
    const trades = records.map(({ subject, eventAt, values }) => ({
      symbol: subject,
      at: eventAt,
      price: values.price as number,
      quantity: 1,
    }))
    const binance = await startFakeBinance({
      onConnect(connection) {
        for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
          for (const row of binance.market.trades(new URLSearchParams({ symbol }))) {
            connection.offer(tradeStream(symbol), tradeMessage(symbol, row))
          }
        }
      },
    })
    for (const trade of trades) binance.publishTrade(trade)
    const { restUrl, streamUrl } = binance
    return { source: createBinanceSource({ restUrl, streamUrl, quietMs: 5 }), close: () => binance.close() }
  },
})

describe('quotes and order books', () => {
  test('are sampled at each instant of their grid', async () => {
    const binance = await startFakeBinance()
    const { restUrl, streamUrl } = binance
    const scope = { source: 'binance', subject: 'BTCUSDT', granularity: '50ms' }
    const source = createBinanceSource({ restUrl, streamUrl, depthLevels: 5 })
    const reader = readStream(source, [
      { ...scope, kind: 'quote' },
      { ...scope, kind: 'depth' },
    ])
    const connection = await binance.connected(1)
    expect(connection.streams).toEqual(['btcusdt@bookTicker', 'btcusdt@depth5@100ms'])
    connection.sendData('btcusdt@bookTicker', { u: 1, s: 'BTCUSDT', b: '10.0', B: '1.0', a: '12.0', A: '2.0' })
    connection.sendData('btcusdt@depth5@100ms', { lastUpdateId: 1, bids: [['10.0', '1.0']], asks: [['12.0', '2.0']] })
    const records = await reader.until(2)
    await reader.stop()
    await binance.close()
    for (const record of records) {
      expect(record.eventAt % 50).toBe(0)
      expect(record.knownAt).toBe(record.eventAt)
    }
    expect(Object.fromEntries(records.map(({ kind, values }) => [kind, values]))).toMatchObject({
      quote: { bid: 10, bidQuantity: 1, ask: 12, askQuantity: 2 },
      depth: { best_bid: 10, best_ask: 12, mid: 11, bid_depth: 1, ask_depth: 2 },
    })
  })
})
