import { describe, expect, it } from 'vitest'
import { CrunchError } from '../../domain/errors.ts'
import { silentLog } from '../../ports/log.ts'
import { reportUnderTest } from '../report-app.testkit.ts'
import { accessUnderTest, bearer, type Sent } from './access.testkit.ts'

const here = { from: '127.0.0.1' }
const confirm = '/reports/checkpoints/1'
const reads = ['/open', '/reports/predictions', confirm, '/custom/hello']

it('gives every route a tier by its definition, and treats one without a tier as the organizer’s', async () => {
  const lines: string[] = []
  const log = { ...silentLog, error: (message: string) => lines.push(message) }
  const { app } = reportUnderTest({ access: { legacyKey: 'k' }, log })
  const paths = new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ path }) => path))
  expect(paths.size).toBeGreaterThan(12)
  for (const path of paths) await app.request(path.replaceAll(/:\w+/g, '1'))
  expect(lines.filter((line) => line === 'route without a tier')).toEqual([])
  const under = accessUnderTest()
  await under.addKey('admin')
  expect((await under.send('/unlisted')).status).toBe(401)
  expect(under.lines).toContainEqual(expect.objectContaining({ message: 'route without a tier', path: '/unlisted' }))
})

describe('without any key', () => {
  it('lets everybody read, except what belongs to one owner', async () => {
    const { send } = accessUnderTest()
    for (const path of reads) {
      expect((await send(path)).body, path).toMatchObject({ viewer: { role: 'public' } })
      expect((await send(path, { method: 'HEAD' })).status).toBe(200)
    }
    expect((await send('/reports/models/1/logs')).status).toBe(401)
    expect((await send('/reports/models/1/logs', here)).body.viewer).toEqual({ role: 'admin', by: 'loopback' })
  })

  it.each<Sent>([
    here,
    { from: '::1' },
    { from: '::ffff:127.0.0.1' },
    { ...here, headers: { host: 'localhost:8000', origin: 'http://localhost:8000', 'sec-fetch-site': 'same-origin' } },
    { ...here, headers: { host: '[::1]:8000' } },
  ])('accepts a change from this machine: %j', async (sent) => {
    const { send, lines } = accessUnderTest()
    expect(await send(confirm, { method: 'POST', ...sent, body: '{}' })).toMatchObject({
      status: 200,
      body: { viewer: { role: 'admin' }, body: '{}' },
    })
    expect(lines).toContainEqual(expect.objectContaining({ message: 'change requested', path: confirm, key: null }))
  })

  it.each<[Sent, string]>([
    [{}, 'does not come directly from this machine'],
    [{ from: null }, 'does not come directly'],
    [{ headers: { 'x-forwarded-for': '127.0.0.1' } }, 'does not come directly'],
    [{ ...here, headers: { 'x-forwarded-for': '127.0.0.1' } }, 'does not come directly'],
    [{ ...here, headers: { forwarded: 'for=127.0.0.1' } }, 'does not come directly'],
    [{ ...here, headers: { via: '1.1 proxy' } }, 'does not come directly'],
    [{ ...here, httpVersion: '1.0' }, 'does not come directly'],
    [{ ...here, headers: { host: 'evil.example' } }, 'the name in Host'],
    [{ ...here, headers: { host: 'localhost.evil.example' } }, 'the name in Host'],
    [{ ...here, headers: { host: 'localhost:8000@evil.example' } }, 'the name in Host'],
    [{ ...here, headers: { origin: 'https://evil.example' } }, 'another site sent it (Origin)'],
    [{ ...here, headers: { origin: 'http://127.0.0.1:3000' } }, 'another site sent it (Origin)'],
    [{ ...here, headers: { origin: 'null' } }, 'another site sent it (Origin)'],
    [{ ...here, headers: { 'sec-fetch-site': 'cross-site' } }, 'another site sent it (Sec-Fetch-Site)'],
    [{ ...here, headers: { 'sec-fetch-site': 'same-site' } }, 'another site sent it (Sec-Fetch-Site)'],
  ])('refuses a change: %j', async (sent, reason) => {
    const { send } = accessUnderTest()
    const { status, body } = await send(confirm, { method: 'POST', ...sent })
    expect(status).toBe(403)
    expect(body.detail).toContain(reason)
    expect(body.detail).toContain('crunch keys create NAME --scope admin')
    // Nor does it see what the operator sees.
    expect((await send('/open', sent)).body.viewer).toEqual({ role: 'public' })
  })

  it('believes X-Forwarded-For of a trusted proxy only, and in it only what the proxy wrote', async () => {
    const { send } = accessUnderTest({ trustedProxies: ['10.0.0.0/8', '::1'] })
    const from = async (proxy: string, forwarded?: string) => {
      const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
      return (await send(confirm, { method: 'POST', from: proxy, headers })).status
    }
    // Loopback of another machine, which anybody in its network can claim.
    expect(await from('10.1.2.3', '127.0.0.1')).toBe(403)
    expect(await from('10.1.2.3', '203.0.113.9, 127.0.0.1')).toBe(403)
    expect(await from('::1', '127.0.0.1')).toBe(200)
    expect(await from('::1', '203.0.113.9, 127.0.0.1')).toBe(403)
    expect(await from('::1', '127.0.0.1, 10.9.9.9')).toBe(403)
    expect(await from('10.1.2.3', '127.0.0.1, 203.0.113.9')).toBe(403)
    expect(await from('10.1.2.3', '127.0.0.1, 203.0.113.9, 10.9.9.9')).toBe(403)
    expect(await from('10.1.2.3', '127.0.0.1, rubbish')).toBe(403)
    expect(await from('::1')).toBe(403)
    expect(await from('192.0.2.1', '127.0.0.1')).toBe(403)
    expect(await from('127.0.0.1')).toBe(200)
  })
})

describe('with keys', () => {
  it('decides by scope and tier', async () => {
    const { send, addKey } = accessUnderTest()
    const keys = {
      none: null,
      read: await addKey('read'),
      alice: await addKey('participant'),
      admin: await addKey('admin'),
    }
    const found: Record<string, readonly number[]> = {}
    for (const [name, key] of Object.entries(keys)) {
      const sent = key === null ? here : { ...here, ...bearer(key) }
      const statuses = await Promise.all([
        ...[...reads, '/reports/models/1/logs'].map(async (path) => (await send(path, sent)).status),
        (await send(confirm, { ...sent, method: 'POST' })).status,
        (await send('/custom/hello', { ...sent, method: 'POST' })).status,
      ])
      found[name] = statuses
    }
    expect(found).toEqual({
      none: [200, 200, 401, 401, 401, 401, 401],
      read: [200, 200, 403, 403, 403, 403, 403],
      alice: [200, 200, 403, 403, 200, 403, 403],
      admin: [200, 200, 200, 200, 200, 200, 200],
    })
    expect((await send('/open', bearer(keys.alice))).body.viewer).toEqual({ role: 'participant', cruncherId: 'alice' })
    expect((await send('/open', { headers: { 'x-api-key': keys.admin } })).body.viewer).toMatchObject({ role: 'admin' })
    expect((await send(confirm)).headers.get('www-authenticate')).toBe('Bearer realm="report"')
  })

  it('takes a key at the start of the path, and shows it nowhere', async () => {
    const { send, addKey, lines } = accessUnderTest()
    const key = await addKey('admin')
    const answer = await send(`/k/${key}${confirm}?a=1`, { method: 'POST', body: '{"tx_hash":"5x"}' })
    expect(answer).toMatchObject({ status: 200, body: { viewer: { role: 'admin' }, body: '{"tx_hash":"5x"}' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    const missing = await send(`/k/${key}/nothing`)
    expect(missing.status).toBe(404)
    expect(JSON.stringify(lines) + missing.text).not.toContain(key)
    const other = await addKey('read')
    const otherKeys: Record<string, string>[] = [{ authorization: `Bearer ${other}` }, { 'x-api-key': other }]
    for (const headers of otherKeys) {
      expect(await send(`/k/${key}/open`, { headers })).toMatchObject({ status: 400 })
    }
    expect((await send(`/k/${key}/open`, { headers: { 'x-api-key': key } })).status).toBe(200)
    expect((await send(`/k/wrong${confirm}`)).status).toBe(401)
    expect((await send(`/k/${key}//open`)).status).toBe(404)
    expect((await send(`/k/${key}/%2fopen`)).status).toBe(404)
  })

  it.each(['/K/KEY/open', '/%6b/KEY/open', '//k/KEY/open', '/k//KEY/open', '/KEY', '/k/KEY/k/KEY/open', '/open/KEY%'])(
    'refuses a key elsewhere in the path, and does not repeat it: %s',
    async (path) => {
      const { send, addKey, lines } = accessUnderTest()
      const key = await addKey('admin')
      const answer = await send(path.replaceAll('KEY', key))
      expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('/k/KEY/') } })
      expect(answer.text + JSON.stringify(lines)).not.toContain(key)
    },
  )

  it('takes a value that only begins like a key for what it is', async () => {
    const { send } = accessUnderTest()
    expect((await send('/open?projectIds=crunch_bot')).status).toBe(200)
  })

  it.each([
    ['/open?api_key=', 400],
    ['/open?API_KEY=', 400],
    ['/open?access_token=', 400],
    ['/open?projectIds=1&x=', 400],
    ['/open?', 400],
    ['/open?start=Bearer%20', 400],
  ])('refuses a key in the query: %s', async (path, status) => {
    const { send, addKey, lines } = accessUnderTest()
    const key = await addKey('admin')
    const answer = await send(`${path}${key}`)
    expect(answer.status).toBe(status)
    expect(answer.body.detail).toContain('A key in the URL ends up in logs')
    expect(answer.text + JSON.stringify(lines)).not.toContain(key)
  })

  it.each<[string, Sent['headers']]>([
    ['an unknown key', { authorization: `Bearer crunch_00000000_${'A'.repeat(43)}` }],
    ['no key at all', { 'x-api-key': "' or 1=1 --" }],
    ['a cut key', { 'x-api-key': 'crunch_' }],
  ])('refuses %s with 401, also for public reads', async (_, headers = {}) => {
    const { send, addKey } = accessUnderTest()
    await addKey('admin')
    expect((await send('/open', { headers })).status).toBe(401)
  })

  it('refuses the id of a key with another secret', async () => {
    const { send, addKey } = accessUnderTest()
    const key = await addKey('admin')
    const other = `${key.slice(0, -43)}${'A'.repeat(43)}`
    expect((await send(confirm, bearer(other))).status).toBe(401)
    expect((await send(confirm, bearer(`${key}A`))).status).toBe(401)
    expect((await send(confirm, bearer(key.toUpperCase()))).status).toBe(401)
  })

  it('refuses an empty key and two different keys, and leaves other schemes to proxies', async () => {
    const { send, addKey } = accessUnderTest()
    const key = await addKey('admin')
    expect((await send('/open', { headers: { authorization: 'Bearer ' } })).status).toBe(400)
    expect((await send('/open', { headers: { authorization: `Bearer ${key}`, 'x-api-key': 'b' } })).status).toBe(400)
    expect((await send('/open', { headers: { authorization: 'Basic eDp5' } })).body.viewer).toEqual({ role: 'public' })
    expect((await send(confirm, { headers: { authorization: 'Basic eDp5', 'x-api-key': key } })).status).toBe(200)
  })

  it('refuses a key within two seconds of its end, and accepts a rotated one until its end', async () => {
    const { send, addKey, store, time } = accessUnderTest()
    const key = await addKey('admin')
    await addKey('read')
    expect((await send(confirm, bearer(key))).status).toBe(200)
    await store.rotateApiKey(
      'admin',
      { id: 'next', hash: '00'.repeat(32), createdAt: time.wallMs },
      time.wallMs + 60_000,
    )
    time.monotonicMs += 59_999
    time.wallMs += 59_999
    expect((await send(confirm, bearer(key))).status).toBe(200)
    time.wallMs += 1
    expect((await send(confirm, bearer(key))).status).toBe(401)
    const other = await addKey('admin', { name: 'other' })
    time.monotonicMs += 2_000
    expect((await send(confirm, bearer(other))).status).toBe(200)
    await store.revokeApiKeys('other', time.wallMs)
    time.monotonicMs += 2_000
    expect((await send(confirm, bearer(other))).status).toBe(401)
  })

  it('reads the keys once for many requests', async () => {
    let count = 0
    const { send, store, time } = accessUnderTest(
      { legacyKey: 'k' },
      {
        probe: (_limitMs, read) => {
          count += 1
          return read(store)
        },
      },
    )
    await Promise.all(Array.from({ length: 50 }, () => send('/open', bearer('k'))))
    expect(count).toBe(1)
    time.monotonicMs += 2_000
    await send('/open', bearer('k'))
    expect(count).toBe(2)
  })
})

it('without the database serves what is public, and knows keys for ten more seconds', async () => {
  let isDown = true
  const { send, addKey, store, time } = accessUnderTest(
    {},
    {
      probe: async (_limitMs, read) => {
        if (isDown) throw new CrunchError('STORE_UNAVAILABLE', 'down')
        return read(store)
      },
    },
  )
  const key = await addKey('admin')
  expect((await send('/healthz', bearer('anything'))).status).toBe(200)
  for (const sent of [{}, here]) expect((await send('/open', sent)).body.viewer).toEqual({ role: 'public' })
  await expect(send('/open', bearer(key))).rejects.toThrow('down')
  await expect(send(confirm, { method: 'POST', ...here })).rejects.toThrow('down')
  isDown = false
  expect((await send(confirm, bearer(key))).status).toBe(200)
  isDown = true
  time.monotonicMs += 9_999
  expect((await send(confirm, bearer(key))).status).toBe(200)
  time.monotonicMs += 1
  await expect(send(confirm, bearer(key))).rejects.toThrow('down')
})

describe('settings of the Python engine', () => {
  it('API_KEY is a key of the organizer, and the key of this machine alone restricts nothing', async () => {
    const { send } = accessUnderTest({ legacyKey: 'old secret' })
    expect((await send(confirm, bearer('old secret'))).status).toBe(200)
    expect((await send(confirm, { method: 'POST', ...here })).status).toBe(401)
    expect((await send(confirm, bearer('old secre'))).status).toBe(401)
    const machine = accessUnderTest({ machineKey: () => 'machine' })
    expect((await machine.send(confirm)).status).toBe(200)
    expect((await machine.send(confirm, { method: 'POST', ...bearer('machine') })).status).toBe(200)
  })

  it('API_READ_AUTH closes reads that are not public, for all without a key', async () => {
    const { send } = accessUnderTest({ legacyKey: 'k', readsNeedKey: true })
    expect((await send('/reports/predictions')).status).toBe(401)
    expect((await send('/reports/predictions', bearer('k'))).status).toBe(200)
    expect((await send('/open')).status).toBe(200)
    expect((await accessUnderTest({ readsNeedKey: true }).send('/reports/predictions')).status).toBe(401)
  })

  it('prefixes replace the tiers of reads, by whole segments; changes and what has an owner keep theirs', async () => {
    const { send } = accessUnderTest({
      ...{ legacyKey: 'k', readsNeedKey: true },
      publicPrefixes: ['/reports/checkpoints/', '/reports/models'],
      adminPrefixes: ['/reports/predictions', '/ope'],
    })
    const status = async (path: string, sent: Sent = {}) => (await send(path, sent)).status
    expect(await status(confirm)).toBe(200)
    expect(await status(confirm, { method: 'POST' })).toBe(401)
    expect(await status('/reports/models/1/logs')).toBe(401)
    expect(await status('/reports/predictions')).toBe(401)
    expect(await status('/healthz')).toBe(200)
    // Neither public nor the organizer's any more: reads.
    expect(await status('/open')).toBe(401)
    expect(await status('/custom/hello')).toBe(401)
  })

  it('an escaped value cannot get around a prefix', async () => {
    const { send } = accessUnderTest({ legacyKey: 'k', publicPrefixes: ['/reports'], adminPrefixes: [] })
    expect((await send('/reports/checkpoints/a%40b')).status).toBe(200)
    const closed = accessUnderTest({ legacyKey: 'k', adminPrefixes: ['/reports/checkpoints/a@b'] })
    for (const id of ['a@b', 'a%40b', '%61%40b']) {
      expect((await closed.send(`/reports/checkpoints/${id}`)).status, id).toBe(401)
    }
    expect((await closed.send('/reports/checkpoints/other')).status).toBe(200)
  })
})

it.each([
  '//reports/predictions',
  '/reports//predictions',
  '/reports/predictions/',
  '/Reports/predictions',
  '/reports/PREDICTIONS',
  '/reports/%70redictions',
  '/reports%2Fpredictions',
  '/reports/./predictions',
  '/open/../reports/predictions',
  '/open/%2e%2e/reports/predictions',
  '/reports/predictions;x',
  '/reports/predictions%00',
  '/reports/predictions%2f..%2f..%2fopen',
  '/reports/\\predictions',
])('another spelling of a path cannot get around its tier: %s', async (path) => {
  const { send } = accessUnderTest({ legacyKey: 'k', readsNeedKey: true, adminPrefixes: ['/reports/predictions'] })
  const { status } = await send(path)
  expect([400, 401, 404]).toContain(status)
})
