import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import type { Instant } from '../../../domain/time.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import type { MarketSeries } from './market-series.ts'
import { parseTrade, type Trade } from './parse-market-data.ts'
import { groupOf, joinTrade, type TradeGroup, tradeRecord } from './trade-group.ts'

export interface TradeSeriesOptions {
  /** The trades of a millisecond count as complete after this long without another trade. */
  readonly quietMs: number
  /** Maximum number of trades that wait for earlier ones. */
  readonly maxHeld: number
  /** Reads the earlier trades of the first trade's millisecond, because the connection may have begun in its middle. */
  earlierTrades(first: Trade): Promise<readonly Trade[]>
  /** Called when the earlier trades have arrived, so that the caller checks the series again. */
  onReady(): void
  onError(error: Error): void
}

/** Turns the trades of one symbol into one record per millisecond, for each series that is derived from trades. */
export function createTradeSeries(scopes: readonly FeedScope[], options: TradeSeriesOptions): MarketSeries {
  return new TradeSeries(scopes, options)
}

interface Held {
  readonly trade: Trade
  readonly heardAt: Instant
}

class TradeSeries implements MarketSeries {
  readonly #scopes: readonly FeedScope[]
  readonly #options: TradeSeriesOptions
  /** Trades that arrived before the earlier ones are known; `null` afterwards. */
  #held: Held[] | null = []
  #ready: readonly SourceRecord[] = []
  #group: TradeGroup | null = null
  /** Whether the group has trades that are not part of a record yet. */
  #isOpen = false
  #heardAt: Instant = 0

  constructor(scopes: readonly FeedScope[], options: TradeSeriesOptions) {
    this.#scopes = scopes
    this.#options = options
  }

  receive(message: JsonObject, now: Instant): readonly SourceRecord[] {
    const trade = parseTrade(message)
    if (this.#held === null) return this.#add(trade, now)
    this.#held.push({ trade, heardAt: now })
    if (this.#held.length === 1) this.#begin(trade)
    if (this.#held.length <= this.#options.maxHeld) return []
    const problem = `${this.#held.length} trades arrived before the history of Binance returned the trades before them`
    throw new FeedInterrupted(`${problem}; reconnecting`)
  }

  dueAt(): Instant | null {
    return this.#isOpen ? this.#heardAt + this.#options.quietMs : null
  }

  take(now: Instant): readonly SourceRecord[] {
    const dueAt = this.dueAt()
    const records = [...this.#ready, ...(dueAt !== null && now >= dueAt ? this.#close() : [])]
    this.#ready = []
    return records
  }

  #begin(first: Trade): void {
    const { earlierTrades, onReady, onError } = this.#options
    earlierTrades(first)
      .then((earlier) => {
        const held = this.#held ?? []
        this.#held = null
        const all = [...earlier.map((trade) => ({ trade, heardAt: held[0]?.heardAt ?? 0 })), ...held]
        this.#ready = all.flatMap(({ trade, heardAt }) => this.#add(trade, heardAt))
        onReady()
      })
      .catch(onError)
  }

  #add(trade: Trade, now: Instant): readonly SourceRecord[] {
    const group = this.#group
    if (group !== null && trade.at < group.at) {
      throw new TypeError(`trade ${trade.lastId} is of ${trade.at}, earlier than the trade before it`)
    }
    this.#heardAt = now
    if (group !== null && trade.at === group.at) {
      // After a quiet time this emits the millisecond again with all its trades, as a revision.
      this.#group = joinTrade(group, trade)
      this.#isOpen = true
      return []
    }
    const records = this.#close()
    this.#group = groupOf(trade)
    this.#isOpen = true
    return records
  }

  #close(): readonly SourceRecord[] {
    const group = this.#group
    if (group === null || !this.#isOpen) return []
    this.#isOpen = false
    return this.#scopes.map((scope) => tradeRecord(scope, group))
  }
}
