import { createBinanceSource } from '../src/adapters/feeds/binance/create-binance-source.ts'
import { candleMessage, candleStream, fakeCandle } from '../src/adapters/feeds/binance/testing/fake-market.ts'
import { startFakeBinance } from '../src/adapters/feeds/binance/testing/start-fake-binance.ts'
import { feedScopeKey } from '../src/domain/feed-record.ts'
import { followSource } from '../src/live/follow/follow-source.ts'
import { createFollowedSeries } from '../src/live/follow/followed-series.ts'
import { defaultPatience, wallTiming } from '../src/live/follow/timing.ts'
import { feedSourceTestsuite } from '../src/ports/feed-source.testsuite.ts'
import type { FeedSource, FeedSourceWithHistory } from '../src/ports/feed-source.ts'
import { silentLog } from '../src/ports/log.ts'

/** A followed source must behave like a source with a history: it resumes, and no record arrives twice. */
function followed(source: FeedSourceWithHistory): FeedSource {
  return {
    describe: source.describe,
    history: source.history,
    async *stream(scopes, from, signal, onOpen) {
      if (signal.aborted) return
      onOpen?.()
      const series = scopes.map((scope) => createFollowedSeries(scope, from.get(feedScopeKey(scope)) ?? null, null))
      yield* followSource({
        ...{ source, series, signal, log: silentLog, timing: wallTiming },
        patience: { ...defaultPatience, firstMs: 1, repairMs: 60_000 },
        onConnected: async () => {},
        onInterrupted: async () => {},
      })
    },
  }
}

feedSourceTestsuite('binance, followed', {
  source: 'binance',
  resumes: true,
  batchesInstants: false,
  async open(records) {
    const candles = records.map(fakeCandle)
    const binance = await startFakeBinance({
      onConnect(connection) {
        for (const candle of candles) connection.offer(candleStream(candle), candleMessage(candle, true))
      },
    })
    for (const candle of candles) binance.publishCandle(candle)
    const { restUrl, streamUrl } = binance
    return { source: followed(createBinanceSource({ restUrl, streamUrl })), close: () => binance.close() }
  },
})
