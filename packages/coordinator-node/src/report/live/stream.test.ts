import { describe, expect, it } from 'vitest'
import {
  answeredRound,
  candle,
  leaderboard,
  minute,
  model,
  periodRounds,
  prediction,
  prepare,
  resolveAll,
  round,
  settleRequest,
} from '../../ports/store-samples.ts'
import type { ChangeListener } from '../../ports/store-workers.ts'
import type { Viewer } from '../access/viewer.ts'
import { reportUnderTest } from '../report-app.testkit.ts'
import type { StreamLimits } from './live-source.ts'
import { serveStream } from './stream.ts'

interface Heard {
  readonly id: string
  readonly type: string | undefined
  readonly data: unknown
}

const never: Partial<StreamLimits> = { heartbeatMs: 600_000, retryMs: 1 }

/** A node whose listener the test can interrupt. */
function liveReport(limits: Partial<StreamLimits> = {}, stopping = new AbortController()) {
  const listeners: ChangeListener[] = []
  const report = reportUnderTest({
    live: {
      stopping: stopping.signal,
      limits: { ...never, ...limits },
      async subscribeChanges(listener) {
        listeners.push(listener)
        return report.store.subscribeChanges(listener)
      },
    },
  })
  return { ...report, listeners, stopping }
}

type Live = ReturnType<typeof liveReport>

function readerOf(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  const heard = async (): Promise<Heard | null> => {
    const { done, value } = await reader.read()
    if (done) return null
    const text = decoder.decode(value)
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]
    return { id: field('id') ?? '', type: field('event'), data: JSON.parse(field('data') ?? 'null') }
  }
  const take = async (count: number): Promise<Heard[]> => {
    const all: Heard[] = []
    for (let at = 0; at < count; at += 1) all.push((await heard()) as Heard)
    return all
  }
  return { heard, take, end: () => reader.cancel() }
}

/** A client that has read the opening. */
async function connect({ app }: Live, query = '', lastEventId?: string) {
  const headers = { host: '127.0.0.1', ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) }
  const response = await app.request(`/reports/stream${query}`, { headers })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const reader = readerOf(response)
  const opening = (await reader.heard()) as Heard
  return { ...reader, opening }
}

const typesOf = (events: readonly (Heard | null)[]) => events.map((event) => event?.type)

describe('the stream', () => {
  it('gives each change with the rows of its route, and hides answers until the truth is known', async () => {
    const live = liveReport()
    const { store, get } = live
    await prepare(store, ['a'])
    const client = await connect(live)
    await store.registerModels([model('b')], minute(0))
    expect(await client.heard()).toMatchObject({ type: 'models', data: (await get('/reports/models')).body[1] })
    await store.openRound(round(0))
    expect(await client.heard()).toMatchObject({ type: 'rounds', data: { id: round(0).id, answered_at: null } })
    await store.recordAnswers(round(0).id, minute(0) + 90, [
      prediction(round(0), 'a'),
      prediction(round(0), 'b', { status: 'FAILED', output: null, reason: 'invalid_output', detail: 'secret words' }),
    ])
    const [, answered] = await client.take(2)
    expect(answered).toMatchObject({ type: 'predictions', data: (await get('/reports/predictions')).body })
    expect(answered?.data).toMatchObject([{ output: null, hidden_until: expect.any(String) }, { model_id: 'b' }])
    expect(JSON.stringify(answered)).not.toContain('secret words')
    await store.appendRecords([candle(-1), candle(0), candle(4)])
    expect(await client.heard()).toMatchObject({ type: 'feeds', data: (await get('/reports/feeds')).body[0] })
    await store.settleRounds(settleRequest({ now: minute(90) }), resolveAll)
    const [settled, scored] = await client.take(2)
    expect(settled).toMatchObject({ type: 'rounds', data: { status: 'RESOLVED' } })
    expect(scored).toMatchObject({ type: 'predictions', data: (await get('/reports/predictions')).body })
    expect(scored?.data).toMatchObject([{ output: prediction(round(0), 'a').output, hidden_until: null }, {}])
    await store.closePeriod({ snapshots: [], rounds: periodRounds(10), leaderboard: leaderboard(10) })
    expect(await client.heard()).toMatchObject({
      type: 'leaderboard',
      data: (await get('/reports/leaderboard')).body,
    })
    await client.end()
  })

  it('shows an answer early to its owner only', async () => {
    const live = liveReport()
    await prepare(live.store, ['a', 'b'])
    const outputs = async (viewer: Viewer) => {
      const context = { req: { header: () => undefined, method: 'GET' }, get: () => 'id', header: () => undefined }
      const body = (stream: ReadableStream<Uint8Array>) => new Response(stream)
      const input = { query: { topics: ['predictions'] }, context: { ...context, body } }
      return readerOf((await live.as(viewer, serveStream, input)) as Response)
    }
    const viewers: Viewer[] = [
      { role: 'participant', cruncherId: 'c-a' },
      { role: 'read' },
      { role: 'admin', by: 'loopback' },
      { role: 'admin', by: 'key' },
    ]
    const clients = await Promise.all(viewers.map(outputs))
    for (const client of clients) await client.heard()
    await answeredRound(live.store, round(0), ['a', 'b'])
    const seen = await Promise.all(clients.map(async (client) => (await client.heard())?.data as { output: unknown }[]))
    expect(seen.map((rows) => rows.map(({ output }) => output !== null))).toEqual([
      [true, false],
      [false, false],
      [false, false],
      [true, true],
    ])
    for (const client of clients) await client.end()
  })

  it('gives a client that comes back all it has missed, once and in order', async () => {
    const live = liveReport()
    await prepare(live.store, ['a'])
    const whole = await connect(live, '?topics=rounds')
    const first = await connect(live, '?topics=rounds')
    for (const count of [0, 1]) await live.store.openRound(round(count))
    const [seen] = await first.take(1)
    await first.end()
    await live.store.openRound(round(2))
    const again = await connect(live, '?topics=rounds', seen?.id)
    await live.store.openRound(round(3))
    const all = await whole.take(4)
    expect(all.map(({ data }) => (data as { id: string }).id)).toEqual([0, 1, 2, 3].map((count) => round(count).id))
    expect([seen, ...(await again.take(3))]).toEqual(all)
    // Even one that was cut before its first event.
    const fromStart = await connect(live, '?topics=rounds', whole.opening.id)
    expect(await fromStart.take(4)).toEqual(all)
  })

  it('says after a restart since when a client has missed changes', async () => {
    const client = await connect(liveReport())
    const restarted = liveReport()
    const again = await connect(restarted, '', client.opening.id)
    expect(await again.heard()).toMatchObject({
      type: 'reset',
      data: { reason: 'the node was restarted, or this is another one', since: new Date(minute(60)).toISOString() },
    })
    expect((await restarted.app.request('/reports/stream', { headers: { 'last-event-id': 'x' } })).status).toBe(400)
  })

  it('catches up, and says so, when its own connection was interrupted', async () => {
    const live = liveReport()
    await prepare(live.store, ['a'])
    const client = await connect(live)
    const other = live.store.reopen()
    const [listener] = live.listeners
    expect(live.listeners).toHaveLength(1)
    // What the memory store announces meanwhile is not heard.
    const hear = (listener as ChangeListener).changed
    Object.assign(listener as ChangeListener, { changed: () => undefined })
    await other.registerModels([model('b')], minute(0))
    await answeredRound(other, round(60), ['a'])
    Object.assign(listener as ChangeListener, { changed: hear })
    listener?.missed()
    const events = await client.take(4)
    expect(typesOf(events)).toEqual(['reset', 'rounds', 'predictions', 'models'])
    expect(events[0]?.data).toMatchObject({ reason: 'the connection that announces changes was interrupted' })
  })
})

describe('a client of the stream', () => {
  it('that never reads keeps nothing, is told why it was dropped, and resumes with what it missed named', async () => {
    const live = liveReport({ events: 3 })
    await prepare(live.store, ['a'])
    const slow = await connect(live, '?topics=rounds')
    const quick = await connect(live, '?topics=rounds')
    for (const count of [0, 1, 2, 3]) {
      await live.store.openRound(round(count))
      expect(await quick.heard()).toMatchObject({ data: { id: round(count).id } })
    }
    const last = await slow.heard()
    expect(last).toMatchObject({ type: 'end', data: { reason: expect.stringContaining('too slow') } })
    expect(await slow.heard()).toBeNull()
    const again = await connect(live, '?topics=rounds', last?.id)
    expect(await again.heard()).toMatchObject({ type: 'reset', data: { reason: expect.stringContaining('no longer') } })
    await live.store.openRound(round(4))
    expect(await again.heard()).toMatchObject({ data: { id: round(4).id } })
  })

  it('that does not read its end either is cut', async () => {
    const live = liveReport()
    await new Promise<void>((resolve) => {
      const incoming = { socket: { remoteAddress: '127.0.0.1', destroy: resolve }, httpVersion: '1.1', rawHeaders: [] }
      const { app } = reportUnderTest({ live: { ...live.store, limits: { lifetimeMs: 1, heartbeatMs: 1 } } })
      void app.request('/reports/stream', { headers: { host: '127.0.0.1' } }, { incoming })
    })
  })

  it('is refused beyond the limit, until another has gone', async () => {
    const live = liveReport({ clients: 1 })
    const client = await connect(live)
    const refused = await live.get<{ detail: string }>('/reports/stream')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30'])
    expect(refused.body.detail).toBe('All 1 streams of this node are in use. Try again later.')
    expect((await live.app.request('/reports/stream', { method: 'HEAD' })).status).toBe(200)
    await client.end()
    await (await connect(live)).end()
  })

  it('gets signs of life, and the end when the node stops', async () => {
    const live = liveReport({ heartbeatMs: 1 })
    const client = await connect(live)
    expect(await client.heard()).toEqual({ id: client.opening.id, type: undefined, data: null })
    live.stopping.abort()
    let event = await client.heard()
    while (event?.type === undefined) event = await client.heard()
    expect(event).toMatchObject({ type: 'end', data: { reason: 'the node stops' } })
    expect(await client.heard()).toBeNull()
  })

  it('hears only what the routes of its topics would answer it', async () => {
    const access = { adminPrefixes: ['/reports/predictions'] }
    const { app } = reportUnderTest({ access })
    const refused = await app.request('/reports/stream?topics=predictions')
    expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
      401,
      expect.stringMatching(/^predictions: This needs a key with the scope admin/),
    ])
    const misspelt = await app.request('/reports/stream?topics=round')
    expect(misspelt.status).toBe(422)
  })
})

it('bounds the streams of one address or key, but not those of this machine, which may be a proxy', async () => {
  const { app } = liveReport({ clientsOfOne: 1 })
  const ask = (remoteAddress: string) => {
    const incoming = { socket: { remoteAddress }, httpVersion: '1.1', rawHeaders: [] }
    return app.request('/reports/stream', { headers: { host: '127.0.0.1' } }, { incoming })
  }
  const [first, other] = [await ask('2001:db8::1'), await ask('2001:db8:0:1::1')]
  expect([first.status, other.status]).toEqual([200, 200])
  const refused = await ask('2001:db8::2')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30'])
  await first.body?.cancel()
  const again = await ask('2001:db8::2')
  expect(again.status).toBe(200)
  const here = [await ask('127.0.0.1'), await ask('127.0.0.1'), await ask('::1'), await ask('::1')]
  expect(here.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  await Promise.all([other, again, ...here].map(({ body }) => body?.cancel()))
})

it('publishes a change as a whole, once, however often that fails', async () => {
  const { store } = reportUnderTest()
  let failures = 2
  const reads = {
    ...store,
    async models() {
      const rows = await store.models()
      if (rows.length < 3 || failures === 0) return rows
      failures -= 1
      // It reads like a missing name, but no event can be made of it.
      return rows.map((row) => (row.id === 'c' ? { ...row, cruncherName: Number.NaN as unknown as string } : row))
    },
  }
  const live = reportUnderTest({ reads, live: { ...store, limits: never } })
  await prepare(store, ['a'])
  const client = await connect({ ...live, listeners: [], stopping: new AbortController() })
  await store.registerModels([model('b'), model('c')], minute(0))
  const ids = (await client.take(2)).map(({ data }) => (data as { model_id: string }).model_id)
  await store.openRound(round(0))
  expect([ids, typesOf(await client.take(1))]).toEqual([['b', 'c'], ['rounds']])
  expect(failures).toBe(0)
  await client.end()
})

it('reads each change once for all clients, and reads again what it could not', async () => {
  const { store } = reportUnderTest()
  let readCount = 0
  let failures = 1
  const reads = {
    ...store,
    async roundReport(id: string) {
      readCount += 1
      if (failures > 0) {
        failures -= 1
        throw new Error('the database is away')
      }
      return store.roundReport(id)
    },
  }
  const live = reportUnderTest({ reads, live: { ...store, limits: never } })
  await prepare(store, ['a'])
  const clients = await Promise.all(
    [1, 2, 3].map(() => connect({ ...live, listeners: [], stopping: new AbortController() })),
  )
  await store.openRound(round(0))
  for (const client of clients) expect(await client.heard()).toMatchObject({ type: 'rounds' })
  expect(readCount).toBe(2)
})
