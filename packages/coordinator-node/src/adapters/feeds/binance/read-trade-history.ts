import type { FeedScope } from '../../../domain/feed-record.ts'
import type { Instant } from '../../../domain/time.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import type { BinancePorts, BinanceRest, RestAnswer } from './binance-rest.ts'
import { parseTrade, type Trade } from './parse-market-data.ts'
import { groupOf, joinTrade, type TradeGroup, tradeRecord } from './trade-group.ts'

const pageRows = 1_000
const tradesWeight = 4
/** The longest time range that every site accepts. */
const longestRangeMs = 3_600_000 - 1
/** After this time, all trades of a millisecond are in the history. */
const settleMs = 2_000

/** Pages of the trades within `[from, to)`, one record per millisecond. Waits until the newest one is complete. */
export async function* readTradeHistory(
  ports: BinancePorts,
  scope: FeedScope,
  from: Instant,
  to: Instant,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceRecord[]> {
  let group: TradeGroup | null = null
  let completeTo: Instant = 0
  for await (const page of tradePages(ports, scope.subject, from, to, signal)) {
    completeTo = page.completeTo
    const complete: TradeGroup[] = []
    for (const trade of page.trades) {
      // Trades deleted from the history keep their number but have no trade ids.
      if (trade.firstId < 0) continue
      if (group !== null && trade.at === group.at) {
        group = joinTrade(group, trade)
        continue
      }
      if (group !== null) complete.push(group)
      group = trade.at < to ? groupOf(trade) : null
      if (group === null) break
    }
    if (complete.length > 0) yield complete.map((one) => tradeRecord(scope, one))
  }
  if (group !== null && group.at <= completeTo && !signal.aborted) yield [tradeRecord(scope, group)]
}

interface TradePage {
  readonly trades: readonly Trade[]
  /** All trades up to this time are in this page or an earlier one. */
  readonly completeTo: Instant
}

/** Pages by time up to the first trade, then by trade number, because pages by time could end within a millisecond. */
async function* tradePages(
  { rest, options }: BinancePorts,
  symbol: string,
  from: Instant,
  to: Instant,
  signal: AbortSignal,
): AsyncGenerator<TradePage> {
  let last: Trade | undefined
  for (let startTime = from; last === undefined && startTime < to && !signal.aborted; ) {
    const endTime = Math.min(to - 1, startTime + longestRangeMs)
    const { data: trades } = await askForTrades(rest, symbol, { startTime, endTime }, signal)
    last = trades.at(-1)
    if (last !== undefined) yield { trades, completeTo: 0 }
    startTime = endTime + 1
  }
  let settledAt: Instant = 0
  while (last !== undefined && last.at < to && !signal.aborted) {
    const answer = await askForTrades(rest, symbol, { fromId: Number(last.aggregateId) + 1 }, signal, last)
    const completeTo: Instant = Math.max(settledAt, answer.serverAt - settleMs)
    yield { trades: answer.data, completeTo }
    last = answer.data.at(-1) ?? last
    if (answer.data.length >= pageRows || last.at >= to) continue
    if (last.at <= completeTo || settledAt > 0) return
    await options.wait(settleMs, signal)
    settledAt = last.at
  }
}

const lookBackPauseMs = 200
const lookBacks = 5

/**
 * The earlier trades of the same millisecond. A connection may begin in the middle of one; without these trades, the
 * stream's first record would differ from the history.
 */
export async function readEarlierTrades(
  { rest, options }: BinancePorts,
  symbol: string,
  trade: Trade,
  signal: AbortSignal,
): Promise<readonly Trade[]> {
  const { aggregateId, at } = trade
  if (aggregateId === null || aggregateId === 0) return []
  for (let attempt = 1; attempt <= lookBacks && !signal.aborted; attempt += 1) {
    const fromId = Math.max(0, aggregateId - pageRows)
    const { data: trades } = await askForTrades(rest, symbol, { fromId }, signal)
    const earlier = trades.filter((one) => Number(one.aggregateId) < aggregateId)
    if (earlier.at(-1)?.aggregateId === aggregateId - 1) return earlier.filter((one) => one.at === at)
    await options.wait(lookBackPauseMs, signal)
  }
  const problem = `the history of Binance is behind its stream: it does not have trade ${aggregateId - 1} of ${symbol}`
  throw new FeedInterrupted(`${problem}, which precedes the first one streamed; reconnecting`)
}

function askForTrades(
  rest: BinanceRest,
  symbol: string,
  range: Readonly<Record<string, number>>,
  signal: AbortSignal,
  last?: Trade,
): Promise<RestAnswer<readonly Trade[]>> {
  const query = { symbol, ...range, limit: pageRows }
  return rest.get(
    { path: '/api/v3/aggTrades', query, weight: tradesWeight, asked: { subject: symbol }, signal },
    (body) => parseTrades(body, last),
  )
}

function parseTrades(body: unknown, last: Trade | undefined): readonly Trade[] {
  if (!Array.isArray(body)) throw new TypeError('it is not a list of trades')
  const trades = body.map(parseTrade)
  for (const [index, trade] of trades.entries()) {
    const before = trades[index - 1] ?? last
    if (before === undefined) continue
    const isNext = Number(trade.aggregateId) > Number(before.aggregateId) && trade.at >= before.at
    if (!isNext) throw new TypeError(`trade ${trade.aggregateId} is out of order`)
  }
  return trades
}
