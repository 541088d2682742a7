import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { answer, btcId, hermesEvent, hermesPrice, openPyth } from '../../adapters/feeds/pyth/pyth-server.testkit.ts'
import type { FeedScope } from '../../domain/feed-record.ts'
import { silentLog } from '../../ports/log.ts'
import { followSource } from './follow-source.ts'
import { createFollowedSeries } from './followed-series.ts'
import { defaultPatience, type Timing } from './timing.ts'

const scope: FeedScope = { source: 'pyth', subject: 'BTC/USD', kind: 'tick', granularity: '1s' }
const start = 1_714_748_300
const tickCount = 12
const prices = Array.from({ length: tickCount }, (_, index) =>
  hermesPrice(btcId, start + index, String(index), undefined, 0),
)

/** A Pyth server that cuts its first connection at `cutAt`; two more seconds pass before the next connection. */
async function openCut(cutAt: number) {
  let published = 3
  let connections = 0
  const send = (response: ServerResponse, from: number) => {
    const text = prices
      .slice(from)
      .map((price) => hermesEvent(price))
      .join('')
    const isCut = connections === 1
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    const sent = isCut ? text.slice(0, cutAt) : text
    published = isCut ? from + sent.split('\n\n').length + 1 : tickCount
    response.write(sent, () => {
      if (isCut) response.destroy()
    })
  }
  const pyth = await openPyth({
    stream(_request, response) {
      connections += 1
      send(response, published)
    },
    price(request, response, url) {
      const from = Number(url.pathname.split('/').at(-1))
      const found = prices.slice(0, published).find(({ price }) => price.publish_time >= from)
      const reply =
        found === undefined ? answer(404, 'Update data not found') : answer(200, JSON.stringify({ parsed: [found] }))
      reply(request, response, url)
    },
  })
  onTestFinished(() => pyth.server.close())
  const timing: Timing = {
    now: () => (start + published) * 1_000,
    random: () => 0.5,
    wait: () => new Promise((resolve) => setImmediate(resolve)),
  }
  return { source: pyth.source, timing }
}

test('a stream of Pyth that is cut anywhere loses and duplicates no tick', async () => {
  const lengthOfTwo = prices
    .slice(3, 5)
    .map((price) => hermesEvent(price))
    .join('').length
  for (let cutAt = 0; cutAt <= lengthOfTwo; cutAt += 23) {
    const { source, timing } = await openCut(cutAt)
    const stop = new AbortController()
    const found: number[] = []
    for await (const batch of followSource({
      ...{ source, timing, log: silentLog, patience: defaultPatience },
      series: [createFollowedSeries(scope, null, start * 1_000)],
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]),
      onConnected: async () => {},
      onInterrupted: async () => {},
    })) {
      found.push(...batch.map(({ values }) => Number(values.price)))
      if (found.length >= tickCount) break
    }
    stop.abort()
    expect(found).toEqual(Array.from({ length: tickCount }, (_, index) => index))
  }
})
