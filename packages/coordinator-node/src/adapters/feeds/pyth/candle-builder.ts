import type { FeedScope } from '../../../domain/feed-record.ts'
import { durationMs, floorToGrid, type Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { PriceUpdate } from './price-update.ts'

interface OpenCandle {
  readonly openAt: Instant
  readonly isWhole: boolean
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
}

/**
 * Builds candles from the ticks of one feed. A candle is returned with the first tick at or after its end. The first,
 * incomplete candle is dropped; an interval without ticks has no candle. The volume is 0: Pyth aggregates quotes, not trades.
 */
export function createCandleBuilder(scope: FeedScope): (tick: PriceUpdate) => SourceRecord | undefined {
  const granularityMs = durationMs(scope.granularity)
  let candle: OpenCandle | undefined
  return ({ publishedAt, values: { price } }) => {
    const openAt = floorToGrid(publishedAt, granularityMs)
    const last = candle
    if (last !== undefined && last.openAt === openAt) {
      candle = { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price }
      return undefined
    }
    candle = { openAt, isWhole: last !== undefined, open: price, high: price, low: price, close: price }
    if (last === undefined || !last.isWhole) return undefined
    const { open, high, low, close } = last
    const knownAt = last.openAt + granularityMs
    return { ...scope, eventAt: last.openAt, knownAt, values: { open, high, low, close, volume: 0 } }
  }
}
