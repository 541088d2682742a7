import { existsSync, readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { type FeedScope, feedScopeKey } from '../../../domain/feed-record.ts'
import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import { type LocalServer, startLocalServer } from '../http/local-server.testkit.ts'
import { type CcxtSourceOptions, ccxtSource, prepareCcxt } from './ccxt-source.ts'

const minuteMs = 60_000
const startAt = Date.UTC(2026, 2, 1)
const btc: FeedScope = { source: 'binanceus', subject: 'BTC/USDT', kind: 'candle', granularity: '1m' }
const load = () => import('ccxt')
const limit = () => AbortSignal.timeout(10_000)
type Kline = readonly [number, ...unknown[]]

const servers: LocalServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const market = (base: string, quote: string) => ({
  ...{ symbol: `${base}${quote}`, status: 'TRADING', baseAsset: base, quoteAsset: quote, permissions: ['SPOT'] },
  filters: [],
})
const exchangeInfo = JSON.stringify({ timezone: 'UTC', symbols: [market('BTC', 'USDT'), market('ETH', 'USDT')] })

/** A local server with Binance's API, which the real ccxt calls, and a source that reads it. */
async function open(klines: RequestListener, now: () => number, options: Partial<CcxtSourceOptions> = {}) {
  const server = await startLocalServer((request, response) => {
    if (request.url?.startsWith('/exchangeInfo')) response.end(exchangeInfo)
    else klines(request, response)
  })
  servers.push(server)
  const config = { enableRateLimit: false, urls: { api: { public: server.url } } }
  const source = prepareCcxt({ exchange: 'binanceus', every: '10ms', config, ...options })({ load, now })
  return { source, server }
}

/** Answers like Binance: candles from `startTime` on, at most `limit` of them. */
function klinesOf(all: Readonly<Record<string, readonly Kline[]>>, most: number): RequestListener {
  return (request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams
    const from = Number(query.get('startTime') ?? 0)
    const mine = (all[query.get('symbol') ?? ''] ?? []).filter(([openAt]) => openAt >= from)
    response.end(JSON.stringify(mine.slice(0, most)))
  }
}

const refusing =
  (status: number, body: string): RequestListener =>
  (_, response) => {
    response.writeHead(status).end(body)
  }

async function history(source: Awaited<ReturnType<typeof open>>['source'], from: number, to: number) {
  const found: SourceRecord[] = []
  for await (const page of source.history!(btc, from, to, limit())) found.push(...page)
  return found
}

const klineOf = ({ eventAt, values }: SourceRecord): Kline => [
  eventAt,
  ...['open', 'high', 'low', 'close', 'volume'].map((name) => String(values[name])),
  eventAt + minuteMs - 1,
]

feedSourceTestsuite('ccxt', {
  ...{ source: 'binanceus', resumes: true, batchesInstants: false },
  async open(records) {
    // The names of the test suite in the form that ccxt uses.
    const named = (name: string) => (name === 'BTCUSDT' ? 'BTC/USDT' : 'ETH/USDT')
    const all = Object.fromEntries(
      ['BTCUSDT', 'ETHUSDT'].map((name) => [name, records.filter(({ subject }) => subject === name).map(klineOf)]),
    )
    const { source, server } = await open(klinesOf(all, 3), () => records.at(-1)!.knownAt + 5_000)
    const renamed = (scope: FeedScope) => ({ ...scope, subject: named(scope.subject) })
    const back = async function* (batches: AsyncIterable<readonly SourceRecord[]>) {
      for await (const batch of batches) {
        yield batch.map((record) => ({ ...record, subject: record.subject.replace('/', '') }))
      }
    }
    return {
      source: {
        async describe(signal) {
          const offers = await source.describe(signal)
          return offers.map((offer) => ({ ...offer, subjects: [...offer.subjects].map((it) => it.replace('/', '')) }))
        },
        stream(scopes, from, ...rest) {
          const keys = scopes.flatMap((scope) => {
            const at = from.get(feedScopeKey(scope))
            return at === undefined ? [] : [[feedScopeKey(renamed(scope)), at] as const]
          })
          return back(source.stream(scopes.map(renamed), new Map(keys), ...rest))
        },
        history: (scope, ...rest) => back(source.history!(renamed(scope), ...rest)),
      },
      close: () => server.close(),
    }
  },
})

const recorded = fileURLToPath(
  new URL('../../../../../../../shared/data/payloads/binance/klines12_BTCUSDT_1m_2025-10_MIT.json.gz', import.meta.url),
)
const isRecorded = existsSync(recorded) || process.env.CI === 'true'

describe('an exchange of ccxt', () => {
  test.skipIf(!isRecorded)('returns the recorded candles in several requests (skipped without ../shared)', async () => {
    const klines = JSON.parse(gunzipSync(readFileSync(recorded)).toString('utf8')) as readonly Kline[]
    const [first, last] = [klines[0]![0], klines.at(-1)![0]]
    const { source } = await open(klinesOf({ BTCUSDT: klines }, 300), () => last + 10 * minuteMs)
    const found = await history(source, first, last + minuteMs)
    expect(found).toHaveLength(klines.length)
    expect(found[0]).toEqual({
      ...btc,
      ...{ eventAt: 1_761_711_720_000, knownAt: 1_761_711_780_000 },
      values: { open: 112731.29, high: 112749.73, low: 112730.4, close: 112749.72, volume: 4.75297 },
    })
    expect(found.map(({ eventAt, values }) => [eventAt, values.close])).toEqual(
      klines.map((kline) => [kline[0], Number(kline[4])]),
    )
  })

  test('returns the newest candle once a later one exists, or some seconds after its end', async () => {
    const candle = (minute: number): Kline => [startAt + minute * minuteMs, '1', '1', '1', '1', '1']
    const opens = async (afterMs: number, count: number) => {
      const klines = Array.from({ length: count }, (_, index) => candle(index))
      const { source } = await open(klinesOf({ BTCUSDT: klines }, 500), () => startAt + afterMs)
      const found = await history(source, startAt, startAt + 100 * minuteMs)
      return found.map(({ eventAt }) => (eventAt - startAt) / minuteMs)
    }
    expect(await opens(2 * minuteMs, 2)).toEqual([0])
    expect(await opens(2 * minuteMs, 3)).toEqual([0, 1])
    expect(await opens(2 * minuteMs + 5_000, 2)).toEqual([0, 1])
  })

  test('omits a candle without a value, and ignores one that has not ended', async () => {
    const row = (minute: number, ...values: unknown[]) => [startAt + minute * minuteMs, ...values]
    const rows = [row(0, '1', '1', '1', '1', '1'), row(1, null, null, null, null, '0'), row(2, '2', '2', '2', '2', '2')]
    const unfinished = row(3, null, '1', '1', 'x', '0')
    let isAsked = false
    const { source } = await open(
      (_request, response) => {
        response.end(JSON.stringify(isAsked ? [] : [...rows, unfinished]))
        isAsked = true
      },
      () => startAt + 3 * minuteMs,
    )
    const found = await history(source, startAt, startAt + 10 * minuteMs)
    expect(found.map(({ values }) => values.close)).toEqual([1, 2])
  })

  test('offers its markets with the granularities that lie on a grid from the epoch', async () => {
    const { source } = await open(refusing(500, ''), () => 0, { source: 'us' })
    const [offer] = await source.describe(limit())
    expect(offer).toMatchObject({ source: 'us', subjects: ['BTC/USDT', 'ETH/USDT'], kind: 'candle' })
    expect(offer?.granularities).toEqual(expect.arrayContaining(['1s', '1m', '1h', '1d']))
    expect(offer?.granularities).not.toEqual(expect.arrayContaining([expect.stringMatching(/3d|w|M/)]))
  })

  test.each([
    [429, '{"code":-1003,"msg":"Too much request weight used"}', 60_000, /^binanceus by ccxt: (RateLimit|DDoS)/],
    [418, '{"code":-1003,"msg":"Way too much request weight used; IP banned until 1"}', 60_000, /banned until 1/],
    [502, '<html><center><h1>502 Bad Gateway</h1></center></html>', null, /ExchangeNotAvailable: .*502 Bad Gateway/],
    [200, '<html>sign in</html>', null, /\/klines did not answer with JSON: "sign in"$/],
  ])('that answers %i %s is interrupted and retried', async (status, body, retryAfterMs, message) => {
    const { source } = await open(refusing(status, body), () => 100 * minuteMs)
    const asked = history(source, minuteMs, 2 * minuteMs)
    await expect(asked).rejects.toBeInstanceOf(FeedInterrupted)
    await expect(asked).rejects.toMatchObject({ retryAfterMs, message: expect.stringMatching(message) })
  })

  test.each([
    [400, '{"code":-1121,"msg":"Invalid symbol."}', /^binanceus by ccxt: BadSymbol: .*Invalid symbol/],
    [
      401,
      '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}',
      /AuthenticationError: .*Invalid API-key/,
    ],
    [
      200,
      '[[1772323200,"1","1","1","1","1"]]',
      /the candle of BTC\/USDT at 2026-03-01T00:00:00\.000Z has no time in milliseconds \(it has the form of seconds/,
    ],
  ])('that answers %i %s needs the operator', async (status, body, message) => {
    const { source } = await open(refusing(status, body), () => 100 * minuteMs)
    const asked = history(source, minuteMs, 2 * minuteMs)
    await expect(asked).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE', message: expect.stringMatching(message) })
  })

  test('that is down is interrupted and retried; an aborted request ends', async () => {
    const { source, server } = await open(refusing(200, '[]'), () => 100 * minuteMs)
    await server.close()
    await expect(history(source, minuteMs, 2 * minuteMs)).rejects.toThrow(/NetworkError: .*ECONNREFUSED/)
    const stop = new AbortController()
    let closed = false
    const silent = await open(
      (_, response) => {
        response.on('close', () => {
          closed = true
        })
        stop.abort()
      },
      () => 100 * minuteMs,
    )
    const startedAt = performance.now()
    for await (const _ of silent.source.stream([btc], new Map(), stop.signal)) expect.unreachable()
    await expect.poll(() => closed).toBe(true)
    // Without the abort, the request would time out after 10 s.
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  })
})

describe('the options of ccxtSource', () => {
  const make = (options: CcxtSourceOptions, loader: () => Promise<object> = load) =>
    prepareCcxt(options)({ load: loader, now: Date.now }).describe(limit())

  test('must name an exchange of ccxt that has candles', async () => {
    await expect(make({ exchange: 'krakn' })).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
      message: 'ccxt has no exchange "krakn"; did you mean "kraken"?',
    })
  })

  test('need the package to be installed', async () => {
    const missing = async () => {
      throw Object.assign(new Error("Cannot find package 'ccxt'"), { code: 'ERR_MODULE_NOT_FOUND' })
    }
    await expect(make({ exchange: 'kraken' }, missing)).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
      message: 'the package ccxt is not installed; run npm install ccxt in the folder of the contract',
    })
  })

  test('are checked when the contract is loaded', () => {
    expect(() => ccxtSource({ exchange: 'kraken', every: 'often' as '1s' })).toThrow(
      expect.objectContaining({
        code: 'CONTRACT_INVALID',
        message: expect.stringMatching(/every "often" is not a duration/),
      }),
    )
  })
})
