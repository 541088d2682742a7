import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import type { Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { Trade } from './parse-market-data.ts'

/** All trades of one symbol in one millisecond: they have one key, so they are one record. */
export interface TradeGroup {
  readonly at: Instant
  /** Of the last one. */
  readonly price: number
  /** Of all, summed in their order. */
  readonly quantity: number
  readonly firstId: number
  readonly lastId: number
  /** How many trades, each of them counted where Binance has aggregated them. */
  readonly count: number
}

export function groupOf({ at, price, quantity, firstId, lastId }: Trade): TradeGroup {
  return { at, price, quantity, firstId, lastId, count: lastId - firstId + 1 }
}

/** With the next trade of the same millisecond. */
export function joinTrade(group: TradeGroup, trade: Trade): TradeGroup {
  const { price, lastId, count } = groupOf(trade)
  return { ...group, price, quantity: group.quantity + trade.quantity, lastId, count: group.count + count }
}

/** The record of a `tick`, which is the price alone, or of a `trade`. */
export function tradeRecord(scope: FeedScope, group: TradeGroup): SourceRecord {
  const { source, subject, kind, granularity } = scope
  const { at, price, quantity, firstId, lastId, count } = group
  const values: JsonObject = kind === 'tick' ? { price } : { price, quantity, firstId, lastId, count }
  return { source, subject, kind, granularity, eventAt: at, knownAt: at, values }
}
