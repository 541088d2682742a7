import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import type { Instant } from '../../../domain/time.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { Trade } from './parse-market-data.ts'

/** All trades of one symbol in one millisecond. They share a key, so they are one record. */
export interface TradeGroup {
  readonly at: Instant
  /** Price of the last trade. */
  readonly price: number
  /** Sum over all trades, in their order. */
  readonly quantity: number
  readonly firstId: number
  readonly lastId: number
  /** Number of trades; the trades within an aggregated trade count individually. */
  readonly count: number
}

export function groupOf({ at, price, quantity, firstId, lastId }: Trade): TradeGroup {
  return { at, price, quantity, firstId, lastId, count: lastId - firstId + 1 }
}

/** Adds the next trade of the same millisecond. */
export function joinTrade(group: TradeGroup, trade: Trade): TradeGroup {
  const { price, lastId, count } = groupOf(trade)
  return { ...group, price, quantity: group.quantity + trade.quantity, lastId, count: group.count + count }
}

/** The record of kind `tick`, which has only the price, or `trade`. */
export function tradeRecord(scope: FeedScope, group: TradeGroup): SourceRecord {
  const { source, subject, kind, granularity } = scope
  const { at, price, quantity, firstId, lastId, count } = group
  const values: JsonObject = kind === 'tick' ? { price } : { price, quantity, firstId, lastId, count }
  return { source, subject, kind, granularity, eventAt: at, knownAt: at, values }
}
