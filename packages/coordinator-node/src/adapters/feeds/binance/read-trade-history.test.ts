import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { readStream } from './testing/read-stream.ts'
import { type FakeBinance, startFakeBinance } from './testing/start-fake-binance.ts'

const hourMs = 3_600_000
const startAt = Date.UTC(2026, 2, 1, 10)
const scope: FeedScope = { source: 'binance', subject: 'BTCUSDT', kind: 'trade', granularity: '1m' }
const endless = new AbortController().signal

let serverAt: number
let binance: FakeBinance
beforeEach(async () => {
  serverAt = startAt + 24 * hourMs
  binance = await startFakeBinance({ now: () => serverAt })
})
afterEach(() => binance.close())

const open = (options = {}) => {
  const { restUrl, streamUrl } = binance
  return createBinanceSource({ restUrl, streamUrl, ...options })
}

async function readHistory(from: number, to: number, wanted = scope, options = {}): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  for await (const page of open(options).history(wanted, from, to, endless)) records.push(...page)
  return records
}

/** `count` orders of two trades each, `perMs` orders in each millisecond. */
function publishTrades(count: number, perMs: number): void {
  for (let order = 0; order < count; order += 1) {
    const at = startAt + Math.floor(order / perMs)
    binance.publishTrade({ symbol: 'BTCUSDT', at, price: 100 + order, quantity: 0.5, count: 2 })
  }
}

function expectedTrades(count: number, perMs: number) {
  return Array.from({ length: Math.ceil(count / perMs) }, (_, index) => {
    const orders = Math.min(perMs, count - index * perMs)
    const firstId = index * perMs * 2
    const price = 100 + index * perMs + orders - 1
    const values = { price, quantity: orders * 0.5, firstId, lastId: firstId + orders * 2 - 1, count: orders * 2 }
    return { ...scope, eventAt: startAt + index, knownAt: startAt + index, values }
  })
}

describe('the history of trades', () => {
  test.each([
    [1, 1],
    [1_000, 1],
    [1_001, 7],
    [2_999, 999],
    [3_000, 1_000],
    [3_500, 2_300],
  ])('of %i orders, %i per millisecond, has one record per millisecond, wherever pages end', async (count, perMs) => {
    publishTrades(count, perMs)
    expect(await readHistory(startAt, startAt + hourMs)).toEqual(expectedTrades(count, perMs))
  })

  test('covers exactly the requested range', async () => {
    publishTrades(10, 1)
    const all = expectedTrades(10, 1)
    expect(await readHistory(startAt + 2, startAt + 5)).toEqual(all.slice(2, 5))
    expect(await readHistory(startAt - hourMs, startAt)).toEqual([])
    expect(await readHistory(startAt + 10, startAt + hourMs)).toEqual([])
  })

  test('continues after hours without a trade', async () => {
    binance.publishTrade({ symbol: 'BTCUSDT', at: startAt + 5 * hourMs + 7, price: 1, quantity: 1 })
    expect(await readHistory(startAt, startAt + 10 * hourMs)).toHaveLength(1)
    expect(binance.requests).toHaveLength(7)
    for (const { query } of binance.requests.slice(0, -1)) {
      expect(Number(query.get('endTime')) - Number(query.get('startTime'))).toBeLessThan(hourMs)
    }
  })

  test('of ticks contains only prices', async () => {
    publishTrades(4, 2)
    const ticks = await readHistory(startAt, startAt + hourMs, { ...scope, kind: 'tick' })
    expect(ticks.map(({ values }) => values)).toEqual([{ price: 101 }, { price: 103 }])
  })

  test('includes the newest millisecond once it is complete, with the trades that came meanwhile', async () => {
    publishTrades(4, 2)
    serverAt = startAt + 1_000
    const waitsMs: number[] = []
    const wait = async (lengthMs: number) => {
      waitsMs.push(lengthMs)
      const more = { symbol: 'BTCUSDT', price: 103, quantity: 0.5, count: 2 }
      binance.publishTrade({ ...more, at: startAt + 1 })
      binance.publishTrade({ ...more, at: startAt + 1_500 })
    }
    const [first, second] = expectedTrades(4, 2)
    const found = await readHistory(startAt, startAt + hourMs, scope, { wait })
    expect(found).toEqual([first, { ...second, values: { ...second?.values, quantity: 1.5, lastId: 9, count: 6 } }])
    expect(waitsMs).toEqual([2_000])
    serverAt = startAt + 4_000
    expect(await readHistory(startAt, startAt + hourMs, scope, { wait })).toHaveLength(3)
    expect(waitsMs).toHaveLength(1)
  })

  test('does not wait for a millisecond that a later trade proves complete', async () => {
    publishTrades(4, 2)
    serverAt = startAt
    const wait = () => Promise.reject(new Error('waited'))
    expect(await readHistory(startAt, startAt + 1, scope, { wait })).toEqual(expectedTrades(2, 2))
  })

  test('skips the numbers of deleted trades', async () => {
    binance.market.putTrade('BTCUSDT', { a: 0, p: '0.0', q: '0.0', f: -1, l: -1, T: startAt })
    binance.market.putTrade('BTCUSDT', { a: 1, p: '1.0', q: '2.0', f: 5, l: 5, T: startAt })
    expect(await readHistory(startAt, startAt + hourMs)).toMatchObject([{ values: { firstId: 5, count: 1 } }])
  })

  test('is interrupted by decreasing numbers or times', async () => {
    const row = { p: '1.0', q: '2.0', f: 5, l: 5 }
    for (const wrong of [
      { a: 1, T: startAt + 1 },
      { a: 3, T: startAt - 1 },
    ]) {
      const body = JSON.stringify([
        { ...row, a: 2, T: startAt },
        { ...row, ...wrong },
      ])
      binance.failRequests({ status: 200, body })
      const error = await readHistory(startAt, startAt + hourMs).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(FeedInterrupted)
      expect((error as Error).message).toContain(`trade ${wrong.a} is out of order`)
    }
  })

  test('is empty, without a request, for kinds that have no history', async () => {
    for (const kind of ['quote', 'depth']) expect(await readHistory(startAt, serverAt, { ...scope, kind })).toEqual([])
    expect(binance.requests).toEqual([])
  })
})

describe('a stream that begins in the middle of a millisecond', () => {
  test('delivers all its trades, as the history does', async () => {
    publishTrades(6, 3)
    const reader = readStream(open({ quietMs: 5 }), [scope])
    await binance.connected(1)
    const more = { symbol: 'BTCUSDT', price: 500, quantity: 0.25 }
    binance.publishTrade({ ...more, at: startAt + 1 })
    binance.publishTrade({ ...more, at: startAt + 2 })
    const streamed = await reader.until(2)
    await reader.stop()
    expect(streamed[0]?.values).toMatchObject({ price: 500, quantity: 1.75, firstId: 6, count: 7 })
    expect(await readHistory(startAt + 1, startAt + hourMs)).toEqual(streamed)
  })

  test('waits for a delayed history, and is interrupted if it does not catch up', async () => {
    let pauses = 0
    const late = { a: 6, p: '1.0', q: '1.0', f: 12, l: 12, T: startAt }
    const wait = async () => {
      pauses += 1
      if (pauses === 2) binance.market.putTrade('BTCUSDT', late)
    }
    const first = { stream: 'btcusdt@aggTrade', data: { ...late, a: 7, f: 13, l: 13, e: 'aggTrade' } }
    const reader = readStream(open({ quietMs: 5, wait }), [scope])
    ;(await binance.connected(1)).send(JSON.stringify(first))
    expect((await reader.until(1))[0]?.values).toMatchObject({ firstId: 12, count: 2 })
    await reader.stop()

    const other = readStream(open({ quietMs: 5, wait }), [scope])
    const data = { ...first.data, a: 100 }
    ;(await binance.connected(2)).send(JSON.stringify({ ...first, data }))
    const error = await other.ended.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FeedInterrupted)
    expect((error as Error).message).toContain('it does not have trade 99 of BTCUSDT')
  })

  test('is refused for the same reasons as the history', async () => {
    const reader = readStream(open(), [{ ...scope, subject: 'NOSUCH' }])
    const data = { e: 'aggTrade', a: 7, p: '1.0', q: '1.0', f: 12, l: 12, T: startAt }
    ;(await binance.connected(1)).sendData('nosuch@aggTrade', data)
    await expect(reader.ended).rejects.toThrow('Binance has no symbol "NOSUCH"')
    expect(binance.openSockets).toBeLessThanOrEqual(2)
  })
})
