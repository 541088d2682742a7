import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { floorToGrid, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { parseClosedCandle } from './parse-market-data.ts'
import { candleRecord } from './read-candle-history.ts'

/**
 * Turns the messages of one stream of one symbol into records. It has no timer, but reports when it wants to be
 * checked.
 */
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

/**
 * Quotes and order books come without a time, many a second. They are sampled: each instant of the granularity's grid, by the
 * clock of this machine, has the last one that arrived before it, and none when none arrived since the instant before.
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
      // No instant has two samples, not even when the clock was put back.
      const dueAt = Math.max(floorToGrid(now, granularityMs), sampledAt) + granularityMs
      latest = { values, dueAt }
      return records
    },
    dueAt: () => latest?.dueAt ?? null,
    take,
  }
}
