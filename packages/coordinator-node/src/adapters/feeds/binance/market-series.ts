import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { floorToGrid, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { parseClosedCandle } from './parse-market-data.ts'
import { candleRecord } from './read-candle-history.ts'

/**
 * Turns the messages of one stream of one symbol into records. It has no timer; `dueAt` tells the caller when to check it.
 */
export interface MarketSeries {
  /** Takes one message and returns the records that it made final; throws a `TypeError` for a malformed message. */
  receive(message: JsonObject, now: Instant): readonly SourceRecord[]
  /** When a record becomes final without another message; `null` if there is none. */
  dueAt(): Instant | null
  /** The records that have become final since. */
  take(now: Instant): readonly SourceRecord[]
}

/** Candles are final when Binance marks them as closed. */
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

/**
 * Quotes and order books carry no time and arrive many times a second. They are sampled by the clock of this machine: the
 * sample of each instant of the granularity's grid is the last one that arrived since the previous instant, if any.
 */
export function createSampledSeries(
  scope: FeedScope,
  granularityMs: number,
  parse: (message: JsonObject) => JsonObject,
): MarketSeries {
  const { source, subject, kind, granularity } = scope
  let latest: { readonly values: JsonObject; readonly dueAt: Instant } | null = null
  let sampledAt = Number.NEGATIVE_INFINITY

  function take(now: Instant): readonly SourceRecord[] {
    if (latest === null || now < latest.dueAt) return []
    const { values, dueAt } = latest
    latest = null
    sampledAt = dueAt
    return [{ source, subject, kind, granularity, eventAt: dueAt, knownAt: dueAt, values }]
  }

  return {
    receive(message, now) {
      const values = parse(message)
      const records = take(now)
      // No instant has two samples, even when the clock was set back.
      const dueAt = Math.max(floorToGrid(now, granularityMs), sampledAt) + granularityMs
      latest = { values, dueAt }
      return records
    },
    dueAt: () => latest?.dueAt ?? null,
    take,
  }
}
