import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json.ts'
import type { Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { parseClosedCandle } from './parse-market-data.ts'
import { candleRecord } from './read-candle-history.ts'

/** What becomes of the messages of one stream of one symbol. Knows no timer: it says when it wants to be looked at. */
export interface MarketSeries {
  /** Takes one message and gives the records that became final by it; throws a `TypeError` for what is no such message. */
  receive(message: JsonObject, now: Instant): readonly SourceRecord[]
  /** When something becomes final though nothing arrives; `null` while there is no such thing. */
  dueAt(): Instant | null
  /** What became final in the meantime. */
  take(now: Instant): readonly SourceRecord[]
}

/** Candles are final when Binance says so. */
export function createCandleSeries(scope: FeedScope, granularityMs: number): MarketSeries {
  return {
    receive(message) {
      const candle = parseClosedCandle(message, granularityMs)
      return candle === null ? [] : [candleRecord(scope, candle, granularityMs)]
    },
    dueAt: () => null,
    take: () => [],
  }
}
