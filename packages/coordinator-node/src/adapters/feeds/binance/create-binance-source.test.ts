import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { candleMessage, candleStream, type FakeCandle, tradeMessage, tradeStream } from './testing/fake-market.ts'
import { startFakeBinance } from './testing/start-fake-binance.ts'

function fakeCandle({ subject, eventAt, knownAt, values }: SourceRecord): FakeCandle {
  const prices = values as Record<'open' | 'high' | 'low' | 'close' | 'volume', number>
  return { symbol: subject, interval: '1m', openAt: eventAt, closeAt: knownAt, ...prices }
}

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
