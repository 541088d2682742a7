import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { type EventStreamRequest, openEventStream } from './event-stream.ts'
import { type LocalServer, startLocalServer } from './local-server.testkit.ts'
import { refusal } from './read-answer.ts'

const servers: LocalServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function open(listener: RequestListener, more: Partial<EventStreamRequest> = {}) {
  const server = await startLocalServer(listener)
  servers.push(server)
  const signal = AbortSignal.timeout(10_000)
  const url = new URL(`${server.url}/stream?key=secret`)
  return openEventStream({ url, signal, refusal: (answer) => refusal(answer, 0), ...more })
}

const sending =
  (...pieces: readonly (string | Buffer)[]): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    for (const piece of pieces) response.write(piece)
    response.end()
  }

async function data(events: AsyncIterable<readonly { readonly data: string }[]>): Promise<string[]> {
  const found: string[] = []
  for await (const batch of events) found.push(...batch.map((event) => event.data))
  return found
}

describe('an event stream', () => {
  test('delivers complete events, and none that the end of the stream truncates', async () => {
    expect(await data(await open(sending('data: 1\n\n: hello\n\ndata: ü', ' 2\r\n\r\ndata: 3\n')))).toEqual([
      '1',
      'ü 2',
    ])
  })

  test('reassembles characters that arrive in pieces', async () => {
    const bytes = Buffer.from('data: €\n\n')
    const listener: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(bytes.subarray(0, 7), () => setImmediate(() => response.end(bytes.subarray(7))))
    }
    expect(await data(await open(listener))).toEqual(['€'])
  })

  test('fails on an event that never ends, but not on many small events or comments', async () => {
    const more = { maxEventCharacters: 100 }
    await expect(data(await open(sending(`data: ${'x'.repeat(100)}`), more))).rejects.toThrow(
      /\/stream sent an event of more than 100 characters$/,
    )
    const small = Array.from({ length: 50 }, () => ':\n\ndata: 1\n\n')
    expect(await data(await open(sending(...small), more))).toHaveLength(50)
  })

  test('does not count the time of a slow reader as silence', async () => {
    const events = await open(sending('data: 1\n\n', 'data: 2\n\n'), { silenceMs: 1_000 })
    let count = 0
    for await (const batch of events) {
      const until = performance.now() + 1_200
      await expect.poll(() => performance.now(), { timeout: 30_000 }).toBeGreaterThan(until)
      count += batch.length
    }
    expect(count).toBe(2)
  })

  test('reports an unreachable provider, and explains refusals as the provider does', async () => {
    const events = await open((request) => request.socket.destroy())
    await expect(data(events)).rejects.toBeInstanceOf(FeedInterrupted)
    const refused = await open((_, response) => response.writeHead(503, { 'retry-after': '7' }).end('later'))
    await expect(data(refused)).rejects.toMatchObject({
      retryAfterMs: 7_000,
      message: expect.stringMatching(/503, "later"/),
    })
  })

  test('rejects with the reason of its signal', async () => {
    const reason = new Error('enough')
    const stop = new AbortController()
    const events = await open(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      },
      { signal: stop.signal, onOpen: () => stop.abort(reason) },
    )
    await expect(data(events)).rejects.toBe(reason)
  })
})
