import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import { silentLog } from '../../../ports/log.ts'
import type { LocalServer } from '../http/local-server.testkit.ts'
import type { PythOptions } from './create-pyth-source.ts'
import {
  answer,
  btcId,
  ethId,
  events,
  hermesEvent,
  hermesPrice,
  openPyth,
  type PythRoutes,
  seconds,
} from './pyth-server.testkit.ts'

const scope = (subject = 'BTC/USD', kind = 'tick', granularity = '1s'): FeedScope => ({
  ...{ source: 'pyth', subject, kind, granularity },
})
const second = 1_714_748_300
const limit = () => AbortSignal.timeout(10_000)

const servers: LocalServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function open(routes: PythRoutes, more: Partial<PythOptions> = {}) {
  const opened = await openPyth(routes, more)
  servers.push(opened.server)
  return opened
}

/** All records of a stream until its end. */
async function streamed(routes: PythRoutes, scopes = [scope()], more: Partial<PythOptions> = {}) {
  const { source } = await open(routes, more)
  const found: SourceRecord[] = []
  for await (const batch of source.stream(scopes, new Map(), limit())) found.push(...batch)
  return found
}

const prices = (records: readonly SourceRecord[]) => records.map(({ values }) => values.price)

feedSourceTestsuite('Pyth', {
  ...{ source: 'pyth', kind: 'tick', resumes: false, batchesInstants: false },
  async open(records) {
    const ids: Record<string, string> = { BTCUSDT: btcId, ETHUSDT: ethId }
    const updates = records.map((record) => ({
      ...hermesPrice(ids[record.subject]!, seconds(record.eventAt), String(Number(record.values.price) * 10), 0, -1),
    }))
    const feeds = Object.entries(ids).map(([name, id]) => ({
      ...{ id, attributes: { symbol: `Crypto.${name}`, display_symbol: name } },
    }))
    const { source, server } = await open(
      {
        feeds: answer(200, JSON.stringify(feeds)),
        stream(request, response, url) {
          const asked = url.searchParams.getAll('ids[]')
          const mine = updates.filter(({ id }) => asked.includes(id))
          events([':\n\n', ...mine.map((update) => hermesEvent(update))])(request, response, url)
        },
        price(_request, response, url) {
          const from = Number(url.pathname.split('/').at(-1))
          const first = updates.find((it) => it.id === url.searchParams.get('ids[]') && it.price.publish_time >= from)
          if (first === undefined) response.writeHead(404).end('Update data not found')
          else response.end(JSON.stringify({ parsed: [first] }))
        },
      },
      { tickReachMs: 3_600_000 },
    )
    // The records of the test suite have only a price.
    const onlyPrice = async function* (batches: AsyncIterable<readonly SourceRecord[]>) {
      for await (const batch of batches) yield batch.map((it) => ({ ...it, values: { price: it.values.price! } }))
    }
    return {
      source: {
        describe: source.describe,
        stream: (...given) => onlyPrice(source.stream(...given)),
        history: (...given) => onlyPrice(source.history(...given)),
      },
      close: () => server.close(),
    }
  },
})

describe('the subjects of Pyth', () => {
  test('are unique short names, full symbols, and ids', async () => {
    const { source, requests } = await open({})
    const offers = await source.describe(limit())
    const [short, , exact] = offers
    expect(short).toEqual({ source: 'pyth', subjects: ['BTC/USD', 'ETH/USD'], kind: 'tick', granularities: 'any' })
    expect(exact?.subjects).toEqual(expect.arrayContaining(['Crypto.BTC/USD', btcId, 'Equity.US.WBTC/USD']))
    expect(offers[1]).toMatchObject({ kind: 'candle', granularities: expect.arrayContaining(['1m', '1h', '1d']) })
    expect(requests[0]?.headers.authorization).toBe('Bearer k')
  })

  test('are streamed under the requested name, in one request without duplicate ids', async () => {
    const stream = events([hermesEvent(hermesPrice(btcId, second, '1'), hermesPrice(ethId, second, '2'))], (it) =>
      it.end(),
    )
    const scopes = [scope(), scope('Crypto.BTC/USD'), scope(ethId)]
    const { source, requests } = await open({ stream })
    const found: SourceRecord[] = []
    for await (const batch of source.stream(scopes, new Map(), limit())) found.push(...batch)
    expect(found.map(({ subject }) => subject)).toEqual(['BTC/USD', 'Crypto.BTC/USD', ethId])
    expect(decodeURIComponent(requests[1]?.url ?? '')).toBe(
      `/hermes/v2/updates/price/stream?ids[]=${btcId}&ids[]=${ethId}&parsed=true&ignore_invalid_price_ids=true&benchmarks_only=true`,
    )
    expect(requests[1]?.headers).toMatchObject({ authorization: 'Bearer k', accept: 'text/event-stream' })
  })

  test('that Pyth does not have are logged and do not stop the others', async () => {
    const lines: [string, JsonObject | undefined][] = []
    const log = { ...silentLog, error: (message: string, fields?: JsonObject) => void lines.push([message, fields]) }
    const stream = events([hermesEvent(hermesPrice(btcId, second, '1'))], (it) => it.end())
    expect(await streamed({ stream }, [scope('DOGE/USD'), scope()], { log })).toHaveLength(1)
    expect(lines).toEqual([
      ['Pyth has no such price feeds; the others continue', { stage: 'feed', subjects: 'DOGE/USD' }],
    ])
    await expect(streamed({ stream }, [scope('DOGE/USD')])).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
      message: "Pyth has no price feed DOGE/USD; check the feed's subjects",
    })
  })
})

const captured = fileURLToPath(
  new URL('../../../../../../../shared/data/payloads/pyth/hermes_v2_stream_BTC_2024-05-03.sse.txt', import.meta.url),
)
const isCaptured = existsSync(captured) || process.env.CI === 'true'

describe('the ticks of Pyth', () => {
  test.skipIf(!isCaptured)(
    'are those of a recorded stream, wherever it is split (skipped without ../shared)',
    async () => {
      const text = readFileSync(captured, 'utf8')
      const whole = await streamed({ stream: events([text], (it) => it.end()) })
      // The first event repeats a second that began before it.
      expect(whole).toEqual([
        {
          ...scope(),
          ...{ eventAt: 1_714_748_301_000, knownAt: 1_714_748_301_000 },
          values: { price: 61630.88, confidence: 33.08129843, emaPrice: 61301.03, emaConfidence: 35.871264 },
        },
      ])
      const pieces = text.match(/[\s\S]{1,997}/g) ?? []
      expect(await streamed({ stream: events(pieces, (it) => it.end()) })).toEqual(whole)
    },
  )

  test('are the first price of each second', async () => {
    const stream = events(
      [
        hermesEvent(hermesPrice(btcId, second, '1', second)),
        hermesEvent(hermesPrice(btcId, second + 1, '2')),
        hermesEvent(hermesPrice(btcId, second + 1, '3', second + 1)),
        hermesEvent(hermesPrice(btcId, second, '4')),
        hermesEvent({ ...hermesPrice(btcId, second + 5, '5'), metadata: {} }),
        hermesEvent({ ...hermesPrice(btcId, second + 5, '6'), metadata: {} }),
      ],
      (it) => it.end(),
    )
    expect(prices(await streamed({ stream }))).toEqual([2e-8, 5e-8])
  })

  test.each([
    ['6140993501', -5, 61409.93501],
    ['183487211', -8, 1.83487211],
    ['-37', -2, -0.37],
    ['12', 3, 12_000],
  ])('parse %s at 10^%i as %d, exactly', async (digits, expo, price) => {
    const stream = events([hermesEvent(hermesPrice(btcId, second, digits, second - 1, expo))], (it) => it.end())
    expect(prices(await streamed({ stream }))).toEqual([price])
  })
})

describe('the candles of Pyth', () => {
  test('are delivered with the first tick after their end, without the incomplete first candle', async () => {
    const minute = Math.floor(second / 60) * 60
    const ticks: [number, string][] = [
      [minute - 20, '9'],
      [minute, '3'],
      [minute + 20, '7'],
      [minute + 40, '2'],
      [minute + 59, '5'],
      [minute + 185, '1'],
      [minute + 240, '8'],
    ]
    const pieces = ticks.map(([at, price]) => hermesEvent(hermesPrice(btcId, at, price, at - 20, 0)))
    const candle = scope('BTC/USD', 'candle', '1m')
    const openAt = minute * 1_000
    expect(await streamed({ stream: events(pieces, (it) => it.end()) }, [candle])).toEqual([
      {
        ...candle,
        ...{ eventAt: openAt, knownAt: openAt + 60_000 },
        values: { open: 3, high: 7, low: 2, close: 5, volume: 0 },
      },
      {
        ...candle,
        ...{ eventAt: openAt + 180_000, knownAt: openAt + 240_000 },
        values: { open: 1, high: 1, low: 1, close: 1, volume: 0 },
      },
    ])
  })
})
