import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import type { BinanceOptions } from './binance-options.ts'
import { createBinanceSource } from './create-binance-source.ts'
import { type FakeBinance, startFakeBinance } from './testing/start-fake-binance.ts'

const scope: FeedScope = { source: 'binance', subject: 'BTCUSDT', kind: 'candle', granularity: '1m' }
const startAt = Date.UTC(2026, 2, 1, 10)
const endless = new AbortController().signal

/** The clocks of server and client; the client's may be slow. */
let now: number
let waitsMs: number[]
let binance: FakeBinance
beforeEach(async () => {
  now = startAt
  waitsMs = []
  binance = await startFakeBinance({ now: () => now })
})
afterEach(() => binance.close())

function open(options: BinanceOptions = {}) {
  const { restUrl, streamUrl } = binance
  return createBinanceSource({
    ...{ restUrl, streamUrl, now: () => now },
    async wait(lengthMs) {
      waitsMs.push(lengthMs)
      now += lengthMs
      binance.usedWeight = 0
    },
    ...options,
  })
}

async function ask(source: ReturnType<typeof open>, signal = endless): Promise<number> {
  let count = 0
  for await (const page of source.history(scope, startAt - 60_000, startAt, signal)) count += page.length
  return count
}

describe('the request weight per minute', () => {
  test('delays requests before it is used up, until the next minute of the server', async () => {
    now = startAt + 20_000
    binance.usedWeight = 5_395
    const source = open()
    await ask(source)
    await ask(source)
    expect(waitsMs).toEqual([])
    await ask(source)
    expect(waitsMs).toEqual([41_000])
    await ask(source)
    expect([waitsMs.length, binance.requests.length]).toEqual([1, 4])
  })

  test('is counted per minute of the server, even if our clock is wrong', async () => {
    binance.usedWeight = 5_999
    const source = open({ now: () => now - 3_600_000 - 15_000 })
    await ask(source)
    await ask(source)
    expect(waitsMs).toEqual([61_000])
  })

  test('is the default of the site, the value that Binance reports, or the setting of the operator', async () => {
    binance.usedWeight = 1_100
    const american = open({ site: 'us' })
    await ask(american)
    await ask(american)
    expect(waitsMs).toHaveLength(1)
    binance.usedWeight = 1_100
    await american.describe(endless)
    await ask(american)
    const careful = open({ weightPerMinute: 100 })
    await ask(careful)
    expect(waitsMs).toHaveLength(1)
    binance.usedWeight = 90
    await ask(careful)
    await ask(careful)
    expect(waitsMs).toHaveLength(2)
  })

  test('does not delay an aborted request', async () => {
    const stop = new AbortController()
    binance.usedWeight = 5_999
    const source = open({ wait: async () => stop.abort() })
    await ask(source)
    expect(await ask(source, stop.signal)).toBe(0)
    expect(binance.requests).toHaveLength(1)
  })
})

describe('a ban', () => {
  test('stops all requests of the source until it ends, because requests would extend it', async () => {
    binance.failRequests({
      status: 418,
      headers: { 'retry-after': '120' },
      body: '{"code":-1003,"msg":"Way too many"}',
    })
    const source = open()
    await expect(ask(source)).rejects.toMatchObject({ retryAfterMs: 120_000 })
    now += 50_000
    const error = await ask(source).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FeedInterrupted)
    expect(error).toMatchObject({ retryAfterMs: 70_000, message: expect.stringContaining('70 s remain') })
    expect(binance.requests).toHaveLength(1)
    now += 70_000
    expect(await ask(source)).toBe(0)
  })
})

describe('describe', () => {
  test('offers the traded symbols by kind', async () => {
    const body = {
      symbols: [
        { symbol: 'BTCUSDT', status: 'TRADING' },
        { symbol: 'LUNAUSDT', status: 'BREAK' },
      ],
    }
    binance.failRequests({ status: 200, body: JSON.stringify(body) })
    const offers = await open().describe(endless)
    expect(offers.map(({ kind }) => kind)).toEqual(['candle', 'tick', 'trade', 'quote', 'depth'])
    for (const offer of offers) expect(offer).toMatchObject({ source: 'binance', subjects: ['BTCUSDT'] })
    expect(offers[0]?.granularities).toEqual(expect.arrayContaining(['1s', '1m', '1d']))
    expect(offers[0]?.granularities).not.toContain('1w')
    expect(binance.requests[0]?.query.get('symbolStatus')).toBe('TRADING')
  })

  test('omits parameters that Binance.US does not support', async () => {
    await open({ site: 'us' }).describe(endless)
    expect([...(binance.requests[0]?.query.keys() ?? [])]).toEqual([])
  })

  test.each(['[]', '{}', '{"symbols":[1]}'])('is interrupted by %s', async (body) => {
    binance.failRequests({ status: 200, body })
    await expect(open().describe(endless)).rejects.toThrow(/which does not match its documentation: /)
  })
})
