import { describe, expect, it } from 'vitest'
import { accessUnderTest, bearer, type Sent } from './access.testkit.ts'
import { countedAs } from './client-address.ts'
import { createRateLimit } from './rate-limit.ts'

const confirm = '/reports/checkpoints/1'

describe('CORS', () => {
  it('answers a preflight without a key, and lets pages of all sites read every answer, without credentials', async () => {
    const { send } = accessUnderTest({ legacyKey: 'k' })
    const headers = {
      origin: 'https://hub.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
      'access-control-request-private-network': 'true',
    }
    const preflight = await send(confirm, { method: 'OPTIONS', headers })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    for (const { headers: answer } of [
      preflight,
      await send('/open', { headers }),
      await send(confirm, { headers }),
      await send('/nothing', { headers }),
      await send(confirm, { headers, method: 'POST', body: 'x'.repeat(70_000) }),
    ]) {
      expect(answer.get('access-control-allow-origin')).toBe('*')
      expect(answer.has('access-control-allow-credentials')).toBe(false)
      expect(answer.has('access-control-allow-private-network')).toBe(false)
    }
  })
})

it('sends headers that keep browsers from running and sharing answers', async () => {
  const { send } = accessUnderTest({ legacyKey: 'k' })
  for (const { headers } of [await send('/open'), await send(confirm), await send('/nothing')]) {
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-powered-by')).toBeNull()
    expect(headers.get('cache-control')).toBeNull()
  }
  const { headers } = await send('/open', bearer('k'))
  expect(headers.get('cache-control')).toBe('private, no-cache')
  expect(headers.get('vary')).toContain('Authorization')
})

it('gives each request an id, the client’s own if its form is safe, and logs it', async () => {
  const { send, lines } = accessUnderTest()
  const idOf = async (id?: string) =>
    (await send('/open', id === undefined ? {} : { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  expect(await idOf('trace-1_a')).toBe('trace-1_a')
  for (const id of [undefined, 'a b', 'a"b', 'a\\nb', '{"level":50}', 'x'.repeat(300), '']) {
    expect(await idOf(id)).toMatch(/^[0-9a-f-]{36}$/)
  }
  await send(confirm, { method: 'POST', from: '127.0.0.1', headers: { 'x-request-id': 'mine' } })
  expect(lines).toContainEqual(expect.objectContaining({ message: 'change requested', requestId: 'mine' }))
})

describe('rate limits', () => {
  it('limits changes of one client, and no other client’s', async () => {
    const { send, time } = accessUnderTest({ legacyKey: 'k' })
    const change = async (from: string) => send(confirm, { method: 'POST', from })
    for (let count = 0; count < 60; count += 1) expect((await change('203.0.113.1')).status).toBe(401)
    const refused = await change('203.0.113.1')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await change('203.0.113.2')).status).toBe(401)
    expect((await send('/open', { from: '203.0.113.1' })).status).toBe(200)
    time.monotonicMs += 1_000
    expect((await change('203.0.113.1')).status).toBe(401)
    expect((await change('203.0.113.1')).status).toBe(429)
  })

  it('counts a key by its own name: others at its address use up none of its tries, and it none of theirs', async () => {
    const { send, addKey } = accessUnderTest()
    const keys = [await addKey('admin', { name: 'one' }), await addKey('admin', { name: 'two' })]
    const change = async (headers: Sent['headers'] = {}) => (await send(confirm, { method: 'POST', headers })).status
    const [one, two] = keys.map((key) => bearer(key).headers)
    for (let count = 0; count < 60; count += 1) await change()
    for (let count = 0; count < 11; count += 1) await change(bearer(`guess ${count}`).headers)
    expect([await change(), await change(bearer('guess').headers)]).toEqual([429, 429])
    for (let count = 0; count < 60; count += 1) expect(await change(one)).toBe(200)
    const refused = await send(confirm, { method: 'POST', from: '203.0.113.2', headers: one ?? {} })
    expect([refused.status, refused.body.detail]).toEqual([429, 'Too many changes with this key. Try again in 1 s.'])
    expect(await change(two)).toBe(200)
    // Its reads too.
    expect((await send('/open', { headers: one ?? {} })).status).toBe(200)
  })

  it('limits wrong keys of one client, and says nothing of a key that may be a guess', async () => {
    const { send, lines, time } = accessUnderTest({ legacyKey: 'k' })
    const guess = async (key: string, from = '2001:db8::1') => (await send('/open', { from, ...bearer(key) })).status
    for (let count = 0; count < 10; count += 1) expect(await guess(`guess ${count}`)).toBe(401)
    expect(await guess('k')).toBe(429)
    // One user has a whole /64.
    expect(await guess('k', '2001:db8::2:3')).toBe(429)
    expect(await guess('k', '2001:db8:0:1::1')).toBe(200)
    expect((await send('/open', { from: '2001:db8::1' })).status).toBe(200)
    time.monotonicMs += 6_000
    expect(await guess('k')).toBe(200)
    expect(lines.filter(({ message }) => message === 'wrong key')).toHaveLength(10)
    expect(JSON.stringify(lines)).not.toContain('guess')
  })

  it('limits wrong keys that are sent at the same time', async () => {
    const { send } = accessUnderTest({ legacyKey: 'k' })
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => send('/open', bearer(`guess ${index}`))))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30)
  })

  it('remembers a bounded number of clients', () => {
    const limit = createRateLimit({ burst: 1, everyMs: 1_000, monotonicMs: () => 0 })
    limit.take('first')
    expect(limit.waitSeconds('first')).toBe(1)
    for (let count = 0; count < 10_000; count += 1) limit.take(`${count}`)
    expect(limit.waitSeconds('first')).toBe(0)
    expect(limit.waitSeconds('9999')).toBe(1)
  })

  it.each([
    ['203.0.113.1', '203.0.113.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    [null, 'unknown'],
  ])('counts %s as %s', (address, counted) => {
    expect(countedAs(address)).toBe(counted)
  })
})

describe('limits of a request', () => {
  it.each([
    ['ten thousand parameters', `/open?${'a=&'.repeat(10_000)}`, 400],
    ['too many parameters', `/open?${'a&'.repeat(1_101)}`, 400],
    ['a long query', `/open?a=${'x'.repeat(40_000)}`, 414],
    ['a NUL character in the query', '/open?a=%00', 400],
    ['a NUL character in the path', '/open/%00', 400],
  ])('refuses %s', async (_, path, status) => {
    expect((await accessUnderTest().send(path)).status).toBe(status)
  })

  it('accepts a thousand model ids, each in a parameter of its own', async () => {
    expect((await accessUnderTest().send(`/open?${'projectIds=123456789&'.repeat(1_000)}`)).status).toBe(200)
  })

  it('refuses a large body, with and without its length, and a hundred headers', async () => {
    const { app, send } = accessUnderTest()
    const body = 'x'.repeat(10_000_000)
    expect((await send(confirm, { method: 'POST', from: '127.0.0.1', body })).status).toBe(413)
    const stream = new Blob([body]).stream()
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit
    expect((await app.request(`http://127.0.0.1${confirm}`, init)).status).toBe(413)
    const headers = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, '1']))
    expect((await send('/open', { headers })).status).toBe(431)
  })
})
