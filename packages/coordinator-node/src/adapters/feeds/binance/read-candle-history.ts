import type { FeedScope } from '../../../domain/feed-record.ts'
import { durationMs, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { BinancePorts } from './binance-rest.ts'
import { type Candle, parseCandleRow } from './parse-market-data.ts'

const pageRows = 1_000
const candlesWeight = 2
/** A candle may still change at the server for this long after its end. */
const settleMs = 2_000

/**
 * Pages of the final candles that open within `[from, to)`. Waits for a candle that has just ended until it is final.
 */
export async function* readCandleHistory(
  { rest, options }: BinancePorts,
  scope: FeedScope,
  from: Instant,
  to: Instant,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceRecord[]> {
  const { subject, granularity } = scope
  const granularityMs = durationMs(granularity)
  let nextAt = from
  let settledAt: Instant | null = null
  while (nextAt < to && !signal.aborted) {
    const { data: candles, serverAt } = await rest.get(
      {
        path: '/api/v3/klines',
        // One candle beyond the range proves that the last one within it is final.
        query: { symbol: subject, interval: granularity, startTime: nextAt, endTime: to, limit: pageRows },
        weight: candlesWeight,
        asked: { subject, granularity },
        signal,
      },
      (body) => parseCandles(body, nextAt, granularityMs),
    )
    const newest = candles.at(-1)
    if (newest === undefined) return
    // The last candle of a full page is read again as the first one of the next page.
    const isFull = candles.length >= pageRows
    const endedMs = serverAt - newest.openAt - granularityMs
    const isFinal = !isFull && endedMs >= 0 && (endedMs >= settleMs || newest.openAt === settledAt)
    const page = (isFinal ? candles : candles.slice(0, -1)).filter(({ openAt }) => openAt < to)
    if (page.length > 0) yield page.map((candle) => candleRecord(scope, candle, granularityMs))
    const settles = !isFull && !isFinal && endedMs >= 0
    if (!isFull && !settles) return
    nextAt = newest.openAt
    if (!settles || nextAt >= to) continue
    await options.wait(settleMs - endedMs, signal)
    settledAt = nextAt
  }
}

function parseCandles(body: unknown, from: Instant, granularityMs: number): Candle[] {
  if (!Array.isArray(body)) throw new TypeError('it is not a list of candles')
  const candles = body.map((row: unknown) => parseCandleRow(row, granularityMs))
  let lastAt = Number.NEGATIVE_INFINITY
  for (const { openAt } of candles) {
    if (openAt < from || openAt <= lastAt) throw new TypeError(`the candle of ${openAt} is out of order`)
    lastAt = openAt
  }
  return candles
}

/** A closed candle as a record. */
export function candleRecord(scope: FeedScope, candle: Candle, granularityMs: number): SourceRecord {
  const { source, subject, kind, granularity } = scope
  const { openAt, values } = candle
  return { source, subject, kind, granularity, eventAt: openAt, knownAt: openAt + granularityMs, values }
}
