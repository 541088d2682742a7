import { describe, expect, test, vi } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import { createSampledSeries } from './market-series.ts'
import { parseDepth, parseQuote, type Trade } from './parse-market-data.ts'
import { createTradeSeries, type TradeSeriesOptions } from './trade-series.ts'

const scopeOf = (kind: string): FeedScope => ({ source: 'binance', subject: 'BTCUSDT', kind, granularity: '1s' })
const quote = (bid: string) => ({ u: 1, s: 'BTCUSDT', b: bid, B: '1.5', a: '9.5', A: '2' })

describe('quotes', () => {
  const open = () => createSampledSeries(scopeOf('quote'), 1_000, parseQuote)
  const bids = (records: readonly SourceRecord[]) => records.map(({ eventAt, values }) => [eventAt, values.bid])

  test('are sampled: each instant of the grid has the last quote before it', () => {
    const series = open()
    expect(series.receive(quote('1'), 10_100)).toEqual([])
    expect(series.receive(quote('2'), 10_999)).toEqual([])
    expect(series.dueAt()).toBe(11_000)
    expect(series.take(10_999)).toEqual([])
    expect(series.take(11_000)).toEqual([
      {
        ...scopeOf('quote'),
        ...{ eventAt: 11_000, knownAt: 11_000 },
        values: { bid: 2, bidQuantity: 1.5, ask: 9.5, askQuantity: 2 },
      },
    ])
  })

  test('that arrive exactly at an instant belong to the next one', () => {
    const series = open()
    series.receive(quote('1'), 10_500)
    expect(bids(series.receive(quote('2'), 11_000))).toEqual([[11_000, 1]])
    expect(bids(series.take(12_000))).toEqual([[12_000, 2]])
  })

  test('give no sample where none arrived, and a late check assigns the right instant', () => {
    const series = open()
    series.receive(quote('1'), 10_500)
    expect(bids(series.take(17_300))).toEqual([[11_000, 1]])
    expect([series.dueAt(), series.take(99_000)]).toEqual([null, []])
  })

  test('have one sample per instant, even when the clock is set back', () => {
    const series = open()
    series.receive(quote('1'), 10_500)
    expect(bids(series.take(11_000))).toEqual([[11_000, 1]])
    series.receive(quote('2'), 10_200)
    expect(series.take(11_500)).toEqual([])
    expect(bids(series.take(12_000))).toEqual([[12_000, 2]])
  })

  test('are refused when malformed', () => {
    expect(() => open().receive({ b: '1' }, 0)).toThrow('"B" is not a decimal number')
  })
})

describe('an order book', () => {
  test('is summarized', () => {
    const book = {
      lastUpdateId: 1,
      bids: [
        ['10', '1'],
        ['9', '2'],
      ],
      asks: [
        ['12', '0.5'],
        ['13', '0.5'],
      ],
    }
    expect(parseDepth(book)).toEqual({
      ...{ best_bid: 10, best_ask: 12, spread: 2, mid: 11, bid_depth: 3, ask_depth: 1, imbalance: 0.5 },
    })
  })

  test('without orders has no prices', () => {
    expect(parseDepth({ bids: [], asks: [] })).toEqual({
      ...{ best_bid: null, best_ask: null, spread: null, mid: null, bid_depth: 0, ask_depth: 0, imbalance: null },
    })
    expect(parseDepth({ bids: [['10', '1']], asks: [] })).toMatchObject({ best_bid: 10, spread: null, imbalance: 1 })
  })

  test.each([{}, { bids: [1], asks: [] }, { bids: [['1', 2]], asks: [] }])('is refused when malformed: %j', (book) => {
    expect(() => parseDepth(book as never)).toThrow(TypeError)
  })
})

describe('trades', () => {
  const message = (id: number, at: number, quantity = '1') => ({
    ...{
      e: 'aggTrade',
      E: at,
      s: 'BTCUSDT',
      a: id,
      p: String(100 + id),
      q: quantity,
      f: id * 10,
      l: id * 10 + 1,
      T: at,
    },
  })
  const open = (changes: Partial<TradeSeriesOptions> = {}) => {
    const onReady = vi.fn()
    const onError = vi.fn()
    const options = { quietMs: 250, maxHeld: 3, earlierTrades: async () => [], onReady, onError, ...changes }
    return { series: createTradeSeries([scopeOf('trade'), scopeOf('tick')], options), onReady, onError }
  }
  async function ready(changes: Partial<TradeSeriesOptions> = {}) {
    const opened = open(changes)
    opened.series.receive(message(0, 500), 1_000)
    await vi.waitFor(() => expect(opened.onReady).toHaveBeenCalled())
    return opened.series
  }
  const described = (records: readonly SourceRecord[]) => records.map(({ kind, eventAt }) => `${kind} ${eventAt}`)

  test('of a millisecond are final when a later one arrives, for every series of the symbol', async () => {
    const series = await ready()
    expect(series.receive(message(1, 500, '0.5'), 1_001)).toEqual([])
    const records = series.receive(message(2, 501), 1_002)
    expect(records.map(({ kind, eventAt, knownAt, values }) => ({ kind, eventAt, knownAt, values }))).toEqual([
      {
        ...{ kind: 'trade', eventAt: 500, knownAt: 500 },
        values: { price: 101, quantity: 1.5, firstId: 0, lastId: 11, count: 4 },
      },
      { kind: 'tick', eventAt: 500, knownAt: 500, values: { price: 101 } },
    ])
  })

  test('are final after a quiet time, which every trade restarts', async () => {
    const series = await ready()
    expect(series.dueAt()).toBe(1_250)
    series.receive(message(1, 500), 1_200)
    expect([series.dueAt(), series.take(1_449)]).toEqual([1_450, []])
    expect(described(series.take(1_450))).toEqual(['trade 500', 'tick 500'])
    expect([series.dueAt(), series.take(9_999)]).toEqual([null, []])
  })

  test('that arrive after the quiet time give a revision with all trades of their millisecond', async () => {
    const series = await ready()
    series.take(2_000)
    expect(series.receive(message(1, 500), 2_001)).toEqual([])
    expect(series.take(3_000)[0]?.values).toMatchObject({ firstId: 0, lastId: 11, count: 4 })
  })

  test('wait for the earlier trades of their millisecond and keep their order', async () => {
    let resolveTrades: (trades: readonly Trade[]) => void = () => {}
    const earlier = new Promise<readonly Trade[]>((resolve) => {
      resolveTrades = resolve
    })
    const { series, onReady } = open({ earlierTrades: () => earlier })
    for (const [id, at] of [
      [1, 500],
      [2, 501],
      [3, 502],
    ] as const)
      expect(series.receive(message(id, at), 1)).toEqual([])
    expect([series.dueAt(), series.take(9_999)]).toEqual([null, []])
    resolveTrades([{ at: 500, price: 1, quantity: 1, firstId: 8, lastId: 9, aggregateId: 0 }])
    await vi.waitFor(() => expect(onReady).toHaveBeenCalled())
    const records = series.take(1)
    expect(described(records)).toEqual(['trade 500', 'tick 500', 'trade 501', 'tick 501'])
    expect(records[0]?.values).toMatchObject({ firstId: 8, lastId: 11, quantity: 2, count: 4 })
    expect(described(series.take(251))).toEqual(['trade 502', 'tick 502'])
  })

  test('can wait only in limited number, and fail when the earlier trades cannot be read', async () => {
    const { series } = open({ earlierTrades: () => new Promise(() => {}) })
    for (const id of [1, 2, 3]) series.receive(message(id, 500), 1)
    expect(() => series.receive(message(4, 500), 1)).toThrow(FeedInterrupted)
    const broken = new FeedInterrupted('no history')
    const { series: other, onError } = open({ earlierTrades: () => Promise.reject(broken) })
    other.receive(message(1, 500), 1)
    await vi.waitFor(() => expect(onError).toHaveBeenCalledWith(broken))
  })

  test('of an earlier millisecond are refused', async () => {
    const series = await ready()
    expect(() => series.receive(message(1, 499), 1_001)).toThrow('trade 11 is of 499, earlier than the trade before it')
  })

  test('that are not aggregated are counted one by one', async () => {
    const series = await ready()
    const single = { e: 'trade', s: 'BTCUSDT', t: 77, p: '1.5', q: '2', T: 600, a: 5, b: 6 }
    series.receive(single, 1_001)
    series.receive({ ...single, t: 78 }, 1_002)
    expect(series.take(2_000)[0]?.values).toEqual({ price: 1.5, quantity: 4, firstId: 77, lastId: 78, count: 2 })
  })
})
