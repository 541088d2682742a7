import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import type { BinanceOptions } from './binance-options.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { type CandleRow, candleRow, type FakeCandle } from './testing/fake-market.ts'
import { readStream } from './testing/read-stream.ts'
import { type FakeBinance, startFakeBinance } from './testing/start-fake-binance.ts'

const minuteMs = 60_000
const startAt = Date.UTC(2026, 2, 1, 10)
const scope: FeedScope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }

let serverAt: number
let binance: FakeBinance
beforeEach(async () => {
  serverAt = startAt + 3 * 86_400_000
  binance = await startFakeBinance({ now: () => serverAt })
})
afterEach(() => binance.close())

function candleOf(minute: number): FakeCandle {
  const openAt = startAt + minute * minuteMs
  const prices = { open: 0.1, high: 0.3, low: 0.00000001, close: 0.2, volume: minute }
  return { symbol: 'BTCUSDT', interval: '1m', openAt, closeAt: openAt + minuteMs, ...prices }
}

async function readHistory(from: number, to: number, options: BinanceOptions = {}, signal?: AbortSignal) {
  const { restUrl, streamUrl } = binance
  const source = createBinanceSource({ restUrl, streamUrl, ...options })
  const records: SourceRecord[] = []
  for await (const page of source.history(scope, from, to, signal ?? new AbortController().signal))
    records.push(...page)
  return records
}

const minutesOf = (records: readonly SourceRecord[]) => records.map(({ eventAt }) => (eventAt - startAt) / minuteMs)
const minutes = (count: number) => Array.from({ length: count }, (_, minute) => minute)

describe('the history of candles', () => {
  test.each([1, 999, 1_000, 1_001, 2_500])('returns %i candles, each once, in pages', async (count) => {
    for (const minute of minutes(count)) binance.publishCandle(candleOf(minute))
    const found = await readHistory(startAt, startAt + count * minuteMs)
    expect(minutesOf(found)).toEqual(minutes(count))
    expect(binance.requests.length).toBeLessThanOrEqual(Math.floor(count / 999) + 1)
  })

  test('covers exactly the requested range, also off the grid', async () => {
    for (const minute of minutes(10)) binance.publishCandle(candleOf(minute))
    expect(minutesOf(await readHistory(startAt + 1, startAt + 5 * minuteMs))).toEqual([1, 2, 3, 4])
    expect(minutesOf(await readHistory(startAt + minuteMs, startAt + 5 * minuteMs + 1))).toEqual([1, 2, 3, 4, 5])
    expect(await readHistory(startAt + 4, startAt + 4)).toEqual([])
  })

  test('omits the candle that is open by the clock of the server, even if ours is wrong', async () => {
    for (const minute of minutes(4)) binance.publishCandle(candleOf(minute))
    for (const now of [() => 0, () => Date.UTC(2100, 0)]) {
      serverAt = startAt + 4 * minuteMs - 1_000
      expect(minutesOf(await readHistory(startAt, startAt + 10 * minuteMs, { now }))).toEqual([0, 1, 2])
      serverAt = startAt + 4 * minuteMs + 2_000
      expect(minutesOf(await readHistory(startAt, startAt + 10 * minuteMs, { now }))).toEqual([0, 1, 2, 3])
    }
  })

  test('waits until the newest candle has settled, unless a later one has begun', async () => {
    for (const minute of minutes(4)) binance.publishCandle({ ...candleOf(minute), close: 0.15 })
    serverAt = startAt + 4 * minuteMs + 500
    const waitsMs: number[] = []
    const wait = async (lengthMs: number) => {
      waitsMs.push(lengthMs)
      binance.publishCandle(candleOf(3))
    }
    const found = await readHistory(startAt, startAt + 4 * minuteMs, { wait })
    expect(found.map(({ values }) => values.close)).toEqual([0.15, 0.15, 0.15, 0.2])
    // The `Date` header has no milliseconds.
    expect(waitsMs).toEqual([2_000])
    binance.publishCandle(candleOf(4), false)
    expect(minutesOf(await readHistory(startAt, startAt + 4 * minuteMs, { wait }))).toEqual([0, 1, 2, 3])
    expect(waitsMs).toHaveLength(1)
  })

  test('has the same numbers as the stream', async () => {
    const candle = { ...candleOf(0), close: 61_837.64, volume: 1.54698 }
    const { restUrl, streamUrl } = binance
    const reader = readStream(createBinanceSource({ restUrl, streamUrl }), [scope])
    await binance.connected(1)
    binance.publishCandle(candle)
    const streamed = await reader.until(1)
    await reader.stop()
    expect(await readHistory(startAt, startAt + minuteMs)).toEqual(streamed)
    expect(streamed[0]?.values).toEqual({ open: 0.1, high: 0.3, low: 0.00000001, close: 61_837.64, volume: 1.54698 })
  })

  test('stops quietly when it is aborted, before and between pages and within an answer', async () => {
    for (const minute of minutes(1_500)) binance.publishCandle(candleOf(minute))
    expect(await readHistory(startAt, startAt + minuteMs, {}, AbortSignal.abort())).toEqual([])
    const stop = new AbortController()
    const { restUrl, streamUrl } = binance
    let pages = 0
    for await (const _ of createBinanceSource({ restUrl, streamUrl }).history(scope, startAt, serverAt, stop.signal)) {
      pages += 1
      stop.abort()
    }
    expect(pages).toBe(1)
    binance.failRequests({ status: 200, body: '[[1,2]', stalls: true })
    const later = new AbortController()
    const stalled = readHistory(startAt, serverAt, {}, later.signal)
    const asked = binance.requests.length
    await expect.poll(() => binance.requests.length).toBe(asked + 1)
    later.abort()
    expect(await stalled).toEqual([])
  })
})

describe('a broken answer', () => {
  const rows = [candleRow(candleOf(0)), candleRow(candleOf(1))]
  const body = JSON.stringify(rows)

  test('interrupts, at whichever byte it is cut', async () => {
    for (let cutAfter = 0; cutAfter < body.length; cutAfter += 11) {
      binance.failRequests({ status: 200, body, cutAfter })
      await expect(readHistory(startAt, serverAt)).rejects.toBeInstanceOf(FeedInterrupted)
    }
  })

  test('interrupts when it never ends', async () => {
    binance.failRequests({ status: 200, body, stalls: true })
    await expect(readHistory(startAt, serverAt, { timeoutMs: 50 })).rejects.toThrow('did not answer within 0.05 s')
  })

  const [first, second] = rows as [CandleRow, CandleRow]
  test.each([
    ['<html><h1>Welcome</h1></html>', 'did not answer with JSON: "Welcome"'],
    ['{"code":0}', 'it is not a list of candles'],
    ['[1]', 'a candle is not a list'],
    [JSON.stringify([first.slice(0, 5)]), '"volume" is not a decimal number'],
    [JSON.stringify([second, first]), `the candle of ${startAt} is out of order`],
    [JSON.stringify([first, first]), `the candle of ${startAt} is out of order`],
    [JSON.stringify([[startAt + 1, ...first.slice(1)]]), 'is not on the grid of its granularity'],
  ])('interrupts, and is shown: %s', async (broken, problem) => {
    binance.failRequests({ status: 200, headers: { 'content-type': 'text/html' }, body: broken })
    const error = await readHistory(startAt, serverAt).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FeedInterrupted)
    expect((error as Error).message).toContain(problem)
  })

  test('does not include JSON with another content type', async () => {
    binance.failRequests({ status: 200, headers: { 'content-type': 'text/html' }, body })
    expect(await readHistory(startAt, serverAt)).toHaveLength(2)
  })
})

const folder = fileURLToPath(new URL('../../../../../../../shared/data/payloads/binance/', import.meta.url))
const isThere = existsSync(folder)
const isRequired = process.env.CI === 'true'

describe.skipIf(!isThere && !isRequired)('real candles (skipped where ../shared/data/payloads is absent)', () => {
  test.each(['BTCUSDT', 'ETHUSDT'])('of %s are read to the last one', async (subject) => {
    const packed = readFileSync(`${folder}klines12_${subject}_1m_2025-10_MIT.json.gz`)
    const rows = JSON.parse(gunzipSync(packed).toString('utf8')) as (readonly [number, ...string[]])[]
    for (const row of rows) binance.market.putCandle(subject, '1m', row)
    const { restUrl, streamUrl } = binance
    const source = createBinanceSource({ restUrl, streamUrl })
    const pages: (readonly SourceRecord[])[] = []
    const from = rows[0]?.[0] ?? 0
    const to = (rows.at(-1)?.[0] ?? 0) + minuteMs
    for await (const page of source.history({ ...scope, subject }, from, to, new AbortController().signal))
      pages.push(page)
    expect(pages.map((page) => page.length)).toEqual([999, 999, 999, 999, 324])
    expect(pages.flat()).toEqual(
      rows.map(([eventAt, open, high, low, close, volume]) => ({
        ...{ source: 'binance', subject, kind: 'candle', granularity: '1m', eventAt, knownAt: eventAt + minuteMs },
        values: {
          open: Number(open),
          high: Number(high),
          low: Number(low),
          close: Number(close),
          volume: Number(volume),
        },
      })),
    )
  })
})
