import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { getText } from './get-text.ts'
import { parseAnswer, readRetryAfter, refusal } from './read-answer.ts'

const endings: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endings.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prices?key=secret`)
}

const ask = (url: URL, more: object = {}) => getText({ url, signal: new AbortController().signal, ...more })

describe('getText', () => {
  test('returns status, headers and body, and a place without the query', async () => {
    const url = await serve((request, response) => {
      response.writeHead(418, { 'x-weight': '7' }).end(`${request.headers.authorization} ü`)
    })
    const answer = await ask(url, { headers: { authorization: 'Bearer k' } })
    expect(answer).toMatchObject({ status: 418, body: 'Bearer k ü', place: `${url.origin}/prices` })
    expect(answer.headers.get('x-weight')).toBe('7')
  })

  test('sends the user of a URL as a header', async () => {
    const url = await serve((request, response) => response.end(`${request.headers.authorization} ${request.url}`))
    Object.assign(url, { username: 'me', password: 'p@ss' })
    const text = `Basic ${Buffer.from('me:p@ss').toString('base64')}`
    expect(await ask(url)).toMatchObject({ body: `${text} /prices?key=secret`, place: `${url.origin}/prices` })
  })

  test('times out on an answer that does not begin or end, and names the place without the key', async () => {
    const silent = await serve(() => {})
    await expect(ask(silent, { timeoutMs: 50 })).rejects.toThrow(`${silent.origin}/prices did not answer within 0.05 s`)
    const endless = await serve((_, response) => response.writeHead(200).write('['))
    await expect(ask(endless, { timeoutMs: 50 })).rejects.toBeInstanceOf(FeedInterrupted)
  })

  test('fails on a body that is too long', async () => {
    const url = await serve((_, response) => response.end('x'.repeat(1_001)))
    await expect(ask(url, { maxBytes: 1_000 })).rejects.toThrow('answered more than 1000 bytes')
    expect((await ask(url, { maxBytes: 1_001 })).body).toHaveLength(1_001)
  })

  test('explains why no server answers', async () => {
    const url = await serve(() => {})
    await endings.pop()?.()
    await expect(ask(url)).rejects.toThrow(/cannot be reached: .*ECONNREFUSED/)
    const cut = await serve((request) => request.socket.destroy())
    await expect(ask(cut)).rejects.toBeInstanceOf(FeedInterrupted)
  })

  test('rejects with the reason of its signal', async () => {
    const reason = new Error('enough')
    const url = await serve(() => {})
    await expect(ask(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const stop = new AbortController()
    const asked = ask(url, { signal: stop.signal })
    stop.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })
})

describe('an answer', () => {
  const answer = { place: 'http://x/y', status: 502, headers: new Headers(), body: '' }

  test('is JSON, or an interruption that quotes the body', () => {
    expect(parseAnswer({ ...answer, body: '{"a":1}' })).toEqual({ a: 1 })
    const page = '<html><style>p{}</style><body>\n<h1>502 Bad\tGateway</h1></body></html>'
    expect(() => parseAnswer({ ...answer, body: page })).toThrow(
      'http://x/y did not answer with JSON: "502 Bad Gateway"',
    )
    expect(() => parseAnswer(answer)).toThrow('did not answer with JSON: nothing')
  })

  test('that refuses states how long to wait', () => {
    const headers = new Headers({ 'retry-after': '17' })
    const refused = refusal({ ...answer, headers, body: 'x'.repeat(300) }, 0)
    expect(refused.retryAfterMs).toBe(17_000)
    expect(refused.message).toBe(`http://x/y answered 502, "${'x'.repeat(200)}…"; it asks to wait 17 s`)
    expect(refusal(answer, 0)).toMatchObject({ retryAfterMs: null, message: 'http://x/y answered 502, nothing' })
  })

  test.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 59_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('with Retry-After "%s" asks to wait %s ms', (value, expected) => {
    expect(readRetryAfter(new Headers({ 'retry-after': value }), 1_000)).toBe(expected)
  })
})
