import { afterEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { silentLog } from '../../../ports/log.ts'
import type { LocalServer } from '../http/local-server.testkit.ts'
import type { PythOptions } from './create-pyth-source.ts'
import { answer, btcId, hermesPrice, openPyth, type PythRoutes } from './pyth-server.testkit.ts'

const candle: FeedScope = { source: 'pyth', subject: 'BTC/USD', kind: 'candle', granularity: '1m' }
const minuteMs = 60_000
const at = 1_753_274_220_000

const servers: LocalServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function pages(
  routes: PythRoutes,
  scope: FeedScope,
  [from, to]: readonly [number, number],
  more: Partial<PythOptions> = {},
) {
  const { source, server, requests } = await openPyth(routes, more)
  servers.push(server)
  const found: (readonly SourceRecord[])[] = []
  for await (const page of source.history(scope, from, to, AbortSignal.timeout(10_000))) found.push(page)
  const asked = requests.map(({ url }) => new URL(url ?? '', 'http://localhost')).slice(1)
  return { found, asked }
}

const bars = (...opens: number[]) =>
  JSON.stringify({
    s: 'ok',
    t: opens.map((open) => open / 1_000),
    ...{ o: opens.map(() => 3423.99), h: opens.map(() => 3424.789) },
    ...{ l: opens.map(() => 3423.97), c: opens.map(() => 3424.38) },
  })

describe('historical candles', () => {
  test('are requested by full symbol on the channel that contains every feed', async () => {
    const { found, asked } = await pages({ candles: answer(200, bars(at)) }, candle, [at, at + minuteMs])
    expect(found).toEqual([
      [
        {
          ...candle,
          ...{ eventAt: at, knownAt: at + minuteMs },
          values: { open: 3423.99, high: 3424.789, low: 3423.97, close: 3424.38, volume: 0 },
        },
      ],
    ])
    expect(asked.map(({ pathname, search }) => pathname + decodeURIComponent(search))).toEqual([
      '/v1/fixed_rate@200ms/history?symbol=Crypto.BTC/USD&resolution=1&from=1753274220&to=1753274280',
    ])
  })

  test('are read in pages of one day of minutes', async () => {
    const day = 86_400_000
    const { found, asked } = await pages({ candles: answer(200, '{"s":"no_data"}') }, candle, [at, at + 2.5 * day])
    expect(found).toEqual([])
    expect(asked.map(({ searchParams }) => searchParams.get('from'))).toEqual(
      [0, 1, 2].map((days) => String((at + days * day) / 1_000)),
    )
  })

  test('include only those of the range that ended some time ago', async () => {
    const all = bars(at - minuteMs, at, at + minuteMs, at + 2 * minuteMs)
    const opens = async (to: number, now: number) => {
      const { found } = await pages({ candles: answer(200, all) }, candle, [at, to], { now: () => now })
      return found.flat().map(({ eventAt }) => (eventAt - at) / minuteMs)
    }
    expect(await opens(at + 2 * minuteMs, at + 10 * minuteMs)).toEqual([0, 1])
    expect(await opens(at + 9 * minuteMs, at + 2 * minuteMs + 4_999)).toEqual([0])
    expect(await opens(at + 9 * minuteMs, at + 2 * minuteMs + 5_000)).toEqual([0, 1])
  })

  test.each([
    ['{"s":"error","errmsg":"too many bars"}', /history reports an error for Crypto.BTC\/USD: too many bars$/],
    ['{"s":"error"}', /an error for Crypto.BTC\/USD: it does not say which$/],
    ['{"s":"ok","t":[1753274220]}', /did not answer with candles: "\{"s":"ok"/],
    [bars(at + 1_000), /answered candles of Crypto.BTC\/USD that are not 1m candles/],
    [bars(at, at), /that are not 1m candles/],
    [bars(at).replace('[3424.38]', '[]'), /that are not 1m candles/],
  ])('that are malformed are interrupted and retried: %s', async (body, message) => {
    const asked = pages({ candles: answer(200, body) }, candle, [at, at + minuteMs])
    await expect(asked).rejects.toMatchObject({ code: 'FEED_INTERRUPTED', message: expect.stringMatching(message) })
  })

  test('of a subject that Pyth does not have are refused', async () => {
    const asked = pages({}, { ...candle, subject: 'DOGE/USD' }, [at, at + minuteMs])
    await expect(asked).rejects.toThrow("Pyth has no price feed DOGE/USD; check the feed's subjects")
  })
})

describe('historical ticks', () => {
  const tick: FeedScope = { ...candle, kind: 'tick', granularity: '1s' }
  const second = at / 1_000

  /** A Pyth server with prices at these seconds; the odd second has several. */
  const prices =
    (...known: number[]): PythRoutes['price'] =>
    (_request, response, url) => {
      const from = Number(url.pathname.split('/').at(-1))
      const found = known.find((one) => one >= from)
      if (from === second + 1) response.writeHead(404).end('Benchmark price is not unique')
      else if (found === undefined) response.writeHead(404).end('Update data not found')
      else response.end(JSON.stringify({ parsed: [hermesPrice(btcId, found, String(found))] }))
    }

  test('are requested one by one up to the newest, skipping seconds without a price', async () => {
    const price = prices(second, second + 4, second + 5)
    const { found, asked } = await pages({ price }, tick, [at - 500, at + minuteMs])
    expect(found.flat().map(({ eventAt }) => eventAt / 1_000 - second)).toEqual([0, 4, 5])
    expect(asked.map(({ pathname }) => Number(pathname.split('/').at(-1)) - second)).toEqual([0, 1, 2, 5, 6])
  })

  test('reach back as far as can be read in about 20 s; a skipped older part is logged', async () => {
    const lines: (JsonObject | undefined)[] = []
    const log = { ...silentLog, warn: (_message: string, fields?: JsonObject) => void lines.push(fields) }
    const { asked } = await pages({ price: prices() }, tick, [at, at + 3_600_000], { log, requestsPer10Seconds: 150 })
    expect(asked.map(({ pathname }) => pathname.split('/').at(-1))).toEqual([String(second + 3_300)])
    expect(lines).toEqual([
      { stage: 'feed', subject: 'BTC/USD', from: '2025-07-23T12:37:00.000Z', to: '2025-07-23T13:32:00.000Z' },
    ])
  })

  test('that do not match the request are interrupted and retried', async () => {
    const price = answer(200, JSON.stringify({ parsed: [hermesPrice(btcId, second - 1, '1')] }))
    await expect(pages({ price }, tick, [at, at + minuteMs])).rejects.toThrow(
      /price\/1753274220 returned no price of Crypto.BTC\/USD from that second on$/,
    )
  })
})
