import { setTimeout } from 'node:timers/promises'
import type { FeedSource } from '../src/ports/feed-source.ts'
import { changedContract, market } from './sample-definition.ts'

const pageRecords = 40
const minuteMs = 60_000
const start = Date.UTC(2026, 2, 1, 10)

/** Its history has the candles of the store's samples, as slowly as a provider gives them. */
const countedCandles: FeedSource = {
  describe: async () => [{ source: 'binance', subjects: ['BTCUSDT'], kind: 'candle', granularities: ['1m'] }],
  async *stream() {},
  async *history(scope, from, to, signal) {
    let index = Math.ceil((from - start) / minuteMs)
    while (start + index * minuteMs < to && !signal.aborted) {
      const count = Math.min(pageRecords, Math.ceil((to - start) / minuteMs) - index)
      await setTimeout(1)
      yield Array.from({ length: count }, (_, place) => {
        const eventAt = start + (index + place) * minuteMs
        return { ...scope, eventAt, knownAt: eventAt + minuteMs, values: { close: 100 + index + place } }
      })
      index += count
    }
  },
}

export default changedContract({ feed: { ...market, from: () => countedCandles } })
