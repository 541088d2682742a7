import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import type { FeedScope } from '../../../domain/feed-record.ts'
import type { SourceRecord } from '../../../ports/feed-source.ts'
import type { LocalServer } from '../http/local-server.testkit.ts'
import type { PythOptions } from './create-pyth-source.ts'
import { answer, btcId, events, hermesEvent, hermesPrice, openPyth, type PythRoutes } from './pyth-server.testkit.ts'

const tick: FeedScope = { source: 'pyth', subject: 'BTC/USD', kind: 'tick', granularity: '1s' }
const candle: FeedScope = { ...tick, kind: 'candle', granularity: '1m' }
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

/** The records of a stream and its error. */
async function ending(routes: PythRoutes, more: Partial<PythOptions> = {}) {
  const { source } = await open(routes, more)
  const found: SourceRecord[] = []
  let openings = 0
  try {
    for await (const batch of source.stream([tick], new Map(), limit(), () => openings++)) found.push(...batch)
    return { found, openings, error: null }
  } catch (error) {
    return { found, openings, error }
  }
}

async function history(routes: PythRoutes, scope: FeedScope, from = 0, to = 60_000) {
  const { source } = await open(routes)
  const found: SourceRecord[] = []
  for await (const page of source.history(scope, from, to, limit())) found.push(...page)
  return found
}

const broken = (message: RegExp, retryAfterMs: number | null = null) =>
  expect.objectContaining({ code: 'FEED_INTERRUPTED', message: expect.stringMatching(message), retryAfterMs })
const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'FEED_UNAVAILABLE', message: expect.stringMatching(message) })

interface RecordedError {
  readonly api: string
  readonly status: number
  readonly body: string | null
}

const recorded = fileURLToPath(
  new URL('../../../../../../../shared/data/payloads/errors/errors.jsonl', import.meta.url),
)
const isRecorded = existsSync(recorded) || process.env.CI === 'true'
const banned =
  /history answered 429: more requests than Pyth allows; it bans the sender for 60 s; lower FEED_PYTH_REQUESTS_PER_10_SECONDS$/
/** The error that the operator sees for each answer, to a stream and to the history. */
const shown: Readonly<
  Record<string, { readonly stream: unknown; readonly ticks: unknown; readonly candles: unknown }>
> = {
  'hermes 404 Price ids not found': {
    stream: unavailable(
      /stream answered 404: Pyth has no price feed 0x[0-9a-f]{64}; remove it from the feed's subjects$/,
    ),
    ticks: unavailable(/price\/0 answered 404: Pyth has no price feed 0x/),
    candles: unavailable(/history answered 404: it has no history of Crypto.BTC\/USD, "Price ids/),
  },
  'hermes 404 Update data not found': {
    stream: broken(/stream answered 404, "Update data not found"$/),
    ticks: [],
    candles: unavailable(/it has no history/),
  },
  'hermes 404 Benchmark price is not unique': {
    stream: broken(/stream answered 404, "Benchmark price is not unique"$/),
    ticks: [],
    candles: unavailable(/it has no history/),
  },
  'benchmarks 429 ': {
    stream: broken(/stream answered 429: more requests than Pyth allows/, 60_000),
    ticks: broken(/price\/0 answered 429: more requests/, 60_000),
    candles: broken(banned, 60_000),
  },
}

describe.skipIf(!isRecorded)('the recorded refusals of Pyth (skipped without ../shared)', () => {
  const rows = isRecorded
    ? readFileSync(recorded, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as RecordedError)
        .filter(({ api }) => api === 'hermes' || api === 'benchmarks')
    : []

  test('are five rows', () => expect(rows).toHaveLength(5))

  test.each(rows)('lead to an error with a fix: $api $status $body', async ({ api, status, body }) => {
    const expected = shown[`${api} ${status} ${(body ?? '').split(':')[0]}`]!
    const refuses = answer(status, body ?? '', { 'content-type': 'text/plain' })
    expect((await ending({ stream: refuses })).error).toEqual(expected.stream)
    const ticks = history({ price: refuses }, tick)
    if (Array.isArray(expected.ticks)) await expect(ticks).resolves.toEqual(expected.ticks)
    else await expect(ticks).rejects.toEqual(expected.ticks)
    await expect(history({ candles: refuses }, candle)).rejects.toEqual(expected.candles)
  })
})

describe('a key', () => {
  test.each([
    [undefined, 401, 'unauthorized', /price_feeds answered 401: Pyth asks for an API key;.* and set PYTH_API_KEY$/],
    [undefined, 403, '', /answered 403: Pyth asks for an API key/],
    ['k', 401, 'unauthorized', /answered 401: it refuses the key in PYTH_API_KEY; set a valid one$/],
    [
      'k',
      403,
      'Not entitled',
      /answered 403: the key in PYTH_API_KEY may not read this, "Not entitled"; request access/,
    ],
  ])('%s that is answered %i is explained', async (apiKey, status, body, message) => {
    const { source, requests } = await open({ feeds: answer(status, body) }, { apiKey })
    await expect(source.describe(limit())).rejects.toEqual(unavailable(message))
    expect(requests[0]?.headers.authorization).toBe(apiKey && 'Bearer k')
    expect((await ending({ feeds: answer(status, body) }, { apiKey })).error).toEqual(unavailable(message))
  })
})

describe('the list of price feeds', () => {
  test.each([
    [404, 'Not Found', unavailable(/price_feeds answered 404: check FEED_PYTH_URL$/)],
    [502, '<html><h1>502 Bad Gateway</h1></html>', broken(/price_feeds answered 502, "502 Bad Gateway"$/)],
    [200, '<html>hello</html>', broken(/did not answer with JSON: "hello"$/)],
    [200, '[{"id":"e62df6"}]', broken(/did not answer with a list of price feeds: "\[\{"id":"e62df6"\}\]"$/)],
  ])('that answers %i %s', async (status, body, error) => {
    const { source } = await open({ feeds: answer(status, body) })
    await expect(source.describe(limit())).rejects.toEqual(error)
  })
})

describe('the stream of Pyth', () => {
  const whole = hermesEvent(hermesPrice(btcId, 1_714_748_300, '1'))

  test('ends without an error when Pyth ends it, as it does once a day', async () => {
    const { found, openings, error } = await ending({ stream: events([whole], (response) => response.end()) })
    expect([found.length, openings, error]).toEqual([1, 1, null])
  })

  test('drops an event in whose middle it is cut', async () => {
    for (const cutAt of [1, 5, 40, whole.length - 2, whole.length - 1]) {
      const pieces = [whole, hermesEvent(hermesPrice(btcId, 1_714_748_301, '2')).slice(0, cutAt)]
      const { found, error } = await ending({ stream: events(pieces, (response) => response.destroy()) })
      expect(found.map(({ values }) => values.price)).toEqual([1e-8])
      expect(error).toEqual(broken(/the connection to http.*stream broke: /))
    }
  })

  test('is interrupted when it is silent, before and after the headers', async () => {
    const more = { silenceMs: 50 }
    expect(await ending({ stream: () => {} }, more)).toMatchObject({
      openings: 0,
      error: broken(/stream was silent for 0.05 s$/),
    })
    expect(await ending({ stream: events([whole]) }, more)).toMatchObject({
      openings: 1,
      error: broken(/stream was silent for 0.05 s$/),
    })
  })

  test.each([
    [
      'a page',
      answer(200, '<html>hi</html>', { 'content-type': 'text/html' }),
      /answered text\/html instead of a stream of events, "hi"$/,
    ],
    ['nothing in particular', answer(200, ''), /answered no content type instead of a stream of events, nothing$/],
    ['an error of a proxy', answer(502, '<html><h1>502</h1></html>'), /stream answered 502, "502"$/],
    ['no JSON', events(['data:{"parsed\n\n']), /stream sent something other than prices: "\{"parsed"$/],
    ['no prices', events(['data:{"parsed":null}\n\n']), /stream sent something other than prices:/],
    [
      'a price that is not a number',
      events([whole.replace('"price":"1"', '"price":"1.5"')]),
      /sent something other than prices:/,
    ],
    [
      'an error of its own',
      events(['event: error\ndata: Error receiving update: Lagged(17)\n\n']),
      /stream reports "Error receiving update: Lagged\(17\)"$/,
    ],
  ])('that carries %s is interrupted and retried', async (_what, stream, message) => {
    expect((await ending({ stream })).error).toEqual(broken(message))
  })

  test('is closed when it is aborted or left', async () => {
    let opened = 0
    let closed = 0
    const { source } = await open({
      stream(request, response, url) {
        opened++
        response.on('close', () => closed++)
        events([whole, whole])(request, response, url)
      },
    })
    const stop = new AbortController()
    for await (const _ of source.stream([tick], new Map(), stop.signal)) stop.abort()
    for await (const _ of source.stream([tick], new Map(), limit())) break
    await expect.poll(() => [opened, closed]).toEqual([2, 2])
  })
})
