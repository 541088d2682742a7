import { expect, onTestFinished, test } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { startLocalServer } from '../../adapters/feeds/http/local-server.testkit.ts'
import { ticks } from '../../contract/feed-definition.ts'
import type { FeedSource } from '../../ports/feed-source.ts'
import { silentLog } from '../../ports/log.ts'
import { readSettings } from '../settings.ts'
import { createLiveSources } from './live-sources.ts'

const context = { env: {}, log: silentLog }
const feed = (source: string, from?: () => FeedSource) =>
  ticks({ source, subjects: ['BTC/USD'], granularity: '1m', ...(from && { from }) })
const own: FeedSource = { describe: async () => [], async *stream() {} }

function create(feeds: readonly ReturnType<typeof feed>[], env: Record<string, string> = {}) {
  return createLiveSources(changedContract({ feed: feeds }), readSettings(env), context)
}

test("the engine's sources use the URLs and the key of the settings", async () => {
  const asked: (string | undefined)[] = []
  const server = await startLocalServer((request, response) => {
    asked.push(`${request.url?.split('?')[0]} ${request.headers.authorization ?? 'no key'}`)
    response.writeHead(503).end('later')
  })
  onTestFinished(() => server.close())
  const env = {
    FEED_PYTH_URL: `${server.url}/hermes`,
    FEED_PRICE_API_URL: `${server.url}/prices`,
    PYTH_API_KEY: 'k',
  }
  const sources = create([feed('pyth'), feed('crunch-prices')], env)
  const signal = AbortSignal.timeout(10_000)
  await expect(sources.get('pyth')?.describe(signal)).rejects.toThrow('503')
  const scope = { source: 'crunch-prices', subject: 'BTC', kind: 'tick', granularity: '1m' }
  const stream = sources.get('crunch-prices')!.stream([scope], new Map(), signal)
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow('503')
  expect(asked).toEqual(['/hermes/v2/price_feeds Bearer k', '/prices/v1/prices no key'])
})

test("a source of the contract takes precedence over the engine's and is created once", () => {
  let made = 0
  const from = () => {
    made++
    return own
  }
  expect(create([feed('pyth', from), feed('pyth', from)]).get('pyth')).toBe(own)
  expect(made).toBe(1)
  expect(() => create([feed('pyth', from), feed('pyth', () => own)])).toThrow('two feeds call different sources "pyth"')
})

test('an unknown name is refused with the nearest known one', () => {
  const near = /there is no live source "pith": did you mean "pyth"\?; give the feed a source of your own with "from"/
  expect(() => create([feed('pith')])).toThrow(near)
  expect(() => create([{ ...feed('x'), source: 'a-name-like-no-other' }])).toThrow(/there are binance, .*pyth/)
})
