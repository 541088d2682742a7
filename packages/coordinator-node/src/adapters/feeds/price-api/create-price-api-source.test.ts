import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import { feedSourceTestsuite } from '../../../ports/feed-source.testsuite.ts'
import { FeedInterrupted, type SourceRecord } from '../../../ports/feed-source.ts'
import { type LocalServer, startLocalServer } from '../http/local-server.testkit.ts'
import { createPriceApiSource } from './create-price-api-source.ts'

const scope: FeedScope = { source: 'crunch-prices', subject: 'BTC', kind: 'tick', granularity: '1m' }
const minuteMs = 60_000
const at = Date.UTC(2026, 2, 1, 10)

const servers: LocalServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function open(listener: RequestListener, now = at) {
  const server = await startLocalServer(listener)
  servers.push(server)
  const source = createPriceApiSource({ url: `${server.url}/`, pollSeconds: 0.01, now: () => now })
  return { source, server }
}

const answering = (status: number, body: string) => open((_, response) => response.writeHead(status).end(body))

async function history(source: ReturnType<typeof createPriceApiSource>, from = at - 10 * minuteMs, to = at) {
  const found: SourceRecord[] = []
  for await (const page of source.history(scope, from, to, AbortSignal.timeout(10_000))) found.push(...page)
  return found
}

feedSourceTestsuite('CrunchDAO price API', {
  ...{ source: 'crunch-prices', kind: 'tick', resumes: true, batchesInstants: false },
  async open(records) {
    const { source, server } = await open((request, response) => {
      const query = new URL(request.url ?? '', 'http://localhost').searchParams
      const rows = records
        .filter(({ subject }) => subject === query.get('asset'))
        .map(({ eventAt, values }) => ({ second: (eventAt - minuteMs) / 1_000, price: values.price }))
        .filter(({ second }) => second >= Number(query.get('from')) && second <= Number(query.get('to')))
      response.end(JSON.stringify({ timestamp: rows.map((row) => row.second), close: rows.map((row) => row.price) }))
    }, records.at(-1)!.knownAt + 5_000)
    return { source, close: () => server.close() }
  },
})

describe('the price API', () => {
  test('is requested as documented, and a closing price gets the time of the end of its minute', async () => {
    const asked: string[] = []
    const { source } = await open((request, response) => {
      asked.push(request.url ?? '')
      const second = at / 1_000
      response.end(JSON.stringify({ timestamp: [second - 120, second - 60, second], close: [1, 2.5, 3] }))
    })
    expect(await history(source, at - minuteMs, at + minuteMs)).toEqual([
      { ...scope, eventAt: at - minuteMs, knownAt: at - minuteMs, values: { price: 1 } },
      { ...scope, eventAt: at, knownAt: at, values: { price: 2.5 } },
    ])
    expect(asked).toEqual(['/v1/prices?asset=BTC&from=1772359020&to=1772359260&resolution=minute'])
  })

  test('does not deliver the newest price right after its minute, because it may still change', async () => {
    const newest = async (now: number) => {
      const second = at / 1_000
      const body = JSON.stringify({ timestamp: [second - 120, second - 60], close: [1, 2] })
      const { source } = await open((_, response) => response.end(body), now)
      return (await history(source, at - 10 * minuteMs, at + 1)).map(({ values }) => values.price)
    }
    expect(await newest(at + 4_999)).toEqual([1])
    expect(await newest(at + 5_000)).toEqual([1, 2])
  })

  test('offers every asset', async () => {
    const { source } = await answering(200, '{}')
    const offers = await source.describe(new AbortController().signal)
    expect(offers).toEqual([{ source: 'crunch-prices', subjects: 'any', kind: 'tick', granularities: ['1m'] }])
  })

  test('that refuses a request gives an error with the asset and the setting to check', async () => {
    const { source } = await answering(404, '{"detail":"unknown asset"}')
    const refused = expect.objectContaining({
      code: 'FEED_UNAVAILABLE',
      message: expect.stringMatching(
        /\/v1\/prices answered 404 for the asset "BTC", "\{"detail":"unknown asset"\}": check the feed's subjects and FEED_PRICE_API_URL$/,
      ),
    })
    await expect(history(source)).rejects.toEqual(refused)
    const streamed = source.stream([scope], new Map(), AbortSignal.timeout(10_000))
    await expect(streamed[Symbol.asyncIterator]().next()).rejects.toEqual(refused)
  })

  test.each([
    [502, '<html><title>Bad Gateway</title></html>', /answered 502, "Bad Gateway"$/],
    [429, '', /answered 429, nothing$/],
    [200, '<html>sign in</html>', /did not answer with JSON: "sign in"$/],
    [200, '{"timestamp":[1,2],"close":[3]}', /with equal lengths, but "\{"timestamp":\[1,2\],"close":\[3\]\}"$/],
    [200, '{"timestamp":[1772323200],"close":["x"]}', /no arrays "timestamp" and "close" of numbers/],
    [
      200,
      '{"timestamp":[1772323200000],"close":[1]}',
      /1772323200000, not in seconds since 1970: it has the form of mi/,
    ],
  ])('that answers %s %s is interrupted and retried', async (status, body, message) => {
    const { source } = await answering(status, body)
    const asked = history(source)
    await expect(asked).rejects.toBeInstanceOf(FeedInterrupted)
    await expect(asked).rejects.toThrow(message)
  })

  test('that is down is interrupted and retried', async () => {
    const { source, server } = await answering(200, '{}')
    await server.close()
    await expect(history(source)).rejects.toThrow(/cannot be reached: .*ECONNREFUSED/)
  })
})
