import { once } from 'node:events'
import { connect } from 'node:net'
import type { FailureReport, ModelStanding, ModelState } from '@crunch/model-protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { connectDiscovery, KEY, rememberingLog, until } from '../../../test/workspace.ts'
import { createUpgradeGate } from '../http/access-gate.ts'
import { DEFAULT_DISCOVERY_LIMITS, type DiscoveryLimits, startDiscoveryServer } from './discovery-server.ts'

/** A test vector of the deployed orchestrators. */
const VECTOR =
  '{"event":"init","data":[{"deployment_id":"mock_model_id_20250915_143034_791","model_id":"mock_model_id","infos":{"cruncher_hotkey":"","cruncher_wallet_pubkey":"test_cruncher_id","model_name":"mock_model_name","cruncher_id":"test_cruncher_id","cruncher_name":"test_cruncher_id"},"state":"RUNNING","ip":"127.0.0.1","port":8080}]}'
const MODEL: ModelState = JSON.parse(VECTOR).data[0]

const STANDINGS: readonly ModelStanding[] = [{ model_id: 'mock_model_id', standing: 'LISTED', reason: null }]

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(
  limits: Partial<DiscoveryLimits> = {},
  models: readonly ModelState[] = [MODEL],
  snapshotReady: Promise<void> = Promise.resolve(),
  host = '127.0.0.1',
) {
  const log = rememberingLog()
  const reports: [string, FailureReport][] = []
  const keyed: FailureReport[] = []
  const server = await startDiscoveryServer({
    host,
    port: 0,
    snapshot: (crunchId) => (crunchId === 'weather' ? models : []),
    snapshotReady,
    standings: (crunchId) => (crunchId === 'weather' ? STANDINGS : []),
    gate: createUpgradeGate(host, KEY),
    onFailureReport: (crunchId, report, { hasKey }) => {
      reports.push([crunchId, report])
      if (hasKey) keyed.push(report)
    },
    limits: { ...DEFAULT_DISCOVERY_LIMITS, ...limits },
    log,
  })
  cleanups.push(() => server.close())
  const client = async (path: string, options: ClientOptions = {}) => {
    const connected = await connectDiscovery(server.port, path, options)
    cleanups.push(() => connected.close())
    return connected
  }
  return { server, log, reports, keyed, client }
}

describe('discovery server', () => {
  it('sends the snapshot, then each change, to every client of the competition', async () => {
    const { server, client } = await start()
    const [first, second, other] = [await client('/weather'), await client('//weather/?x=1'), await client('/other')]
    expect(JSON.parse(first.frames[0]!)).toEqual({ ...JSON.parse(VECTOR), standings: STANDINGS })
    expect(JSON.parse(other.frames[0]!)).toEqual({ event: 'init', data: [], standings: [] })
    server.broadcast('weather', [{ ...MODEL, state: 'STOPPED' }], [])
    for (const { frames } of [first, second]) {
      await until('the update', () => frames.length === 2)
      expect(JSON.parse(frames[1]!)).toEqual({ event: 'update', data: [{ ...MODEL, state: 'STOPPED' }], standings: [] })
    }
    expect(other.frames).toHaveLength(1)
  })

  it('refuses a connection without a competition, and plain HTTP', async () => {
    const { server, client } = await start()
    const nameless = await client('/')
    expect(JSON.parse(nameless.frames[0]!)).toEqual({
      error: 'crunch_id is required and is expected in the path as /<crunch_id>',
    })
    await nameless.closed
    const response = await fetch(`http://127.0.0.1:${server.port}/weather`)
    expect(response.status).toBe(426)
    expect(response.headers.get('content-type')).toBe('text/plain')
    expect(await response.text()).toBe('Upgrade Required: use WebSocket\n')
  })

  it('accepts failure reports, and survives any other input', async () => {
    const { server, client, reports, log } = await start()
    const bad = await client('/weather')
    for (const message of ['nonsense', '[]', '{"event":"hello"}', '{"event":"report_failure","data":7}', '\u0000'])
      bad.send(message)
    const report = { model_id: '1', failure_code: 'NEW', failure_reason: 'slow', ip: '127.0.0.1' }
    bad.send({ event: 'report_failure', data: [{ model_id: '1' }, report] })
    await until('the report', () => reports.length === 1)
    expect(reports).toEqual([['weather', { ...report, failure_code: 'UNKNOWN' }]])
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(6)
    expect(bad.frames).toHaveLength(1)
    const huge = await client('/weather')
    huge.socket.send(Buffer.alloc(2 * 1024 * 1024))
    await huge.closed
    const raw = connect(server.port, '127.0.0.1')
    raw.end('\u0016\u0003\u0001 no HTTP at all\r\n\r\n').resume()
    await once(raw, 'close')
    expect(JSON.parse((await client('/weather')).frames[0]!).event).toBe('init')
  })

  it('logs a bounded number of bad messages', async () => {
    const { client, reports, log } = await start()
    const bad = await client('/weather')
    for (let count = 0; count < 500; count += 1) bad.send('nonsense')
    bad.send({ event: 'report_failure', data: [{ model_id: '1', failure_code: 'UNKNOWN', ip: '' }] })
    await until('the report after them', () => reports.length === 1)
    expect(log.lines).toHaveLength(11)
  })

  it('disconnects a client that does not read, and keeps serving the others', async () => {
    const { server, client, log } = await start({ maxUnreadBytes: 64 * 1024 })
    const [slow, good] = [await client('/weather'), await client('/weather')]
    slow.socket.pause()
    const state = { ...MODEL, infos: { ...MODEL.infos, model_name: 'x'.repeat(400_000) } }
    let sent = 0
    await until('the slow client is cut off', async () => {
      server.broadcast('weather', [state], [])
      sent += 1
      await until('the good client has the update', () => good.frames.length === sent + 1)
      return log.lines.some(({ message }) => message.includes('reads too slowly'))
    })
    expect(good.frames).toHaveLength(sent + 1)
  })

  it('disconnects only clients that do not answer pings', async () => {
    const { client } = await start({ keepaliveMs: 500 })
    const [dead, good] = [await client('/weather', { autoPong: false }), await client('/weather')]
    let pings = 0
    good.socket.on('ping', () => (pings += 1))
    await dead.closed
    const before = pings
    await until('two more pings', () => pings >= before + 2)
    expect(good.socket.readyState).toBe(good.socket.OPEN)
  })

  it('waits for the answer to a ping for the configured time', async () => {
    const { client } = await start({ keepaliveMs: 100, pongTimeoutMs: 700 })
    const dead = await client('/weather', { autoPong: false })
    let pings = 0
    dead.socket.on('ping', () => (pings += 1))
    await dead.closed
    expect(pings).toBeGreaterThan(1)
    const { client: other } = await start({ keepaliveMs: 300, pongTimeoutMs: 20 })
    const hasty = await other('/weather', { autoPong: false })
    hasty.socket.on('ping', () => (pings = 0))
    await hasty.closed
    expect(pings).toBe(0)
  })

  it('refuses more clients than its limit', async () => {
    const { client } = await start({ maxClients: 1 })
    const first = await client('/weather')
    const second = await client('/weather')
    expect(JSON.parse(second.frames[0]!)).toEqual({ error: 'too many clients' })
    expect(await second.closed).toBe(1013)
    expect(first.socket.readyState).toBe(first.socket.OPEN)
  })

  it('accepts the coordinator in charge even if other clients fill the limit', async () => {
    const { client } = await start({ maxClients: 1 })
    await client('/weather')
    const inCharge = await client('/weather', { headers: { 'x-api-key': KEY } })
    expect(JSON.parse(inCharge.frames[0]!)).toMatchObject({ event: 'init' })
  })

  it('sends the snapshot first, after the models had time to start', async () => {
    let markReady = () => {}
    const ready = new Promise<void>((resolve) => {
      markReady = resolve
    })
    const { server, client } = await start({}, [MODEL], ready)
    const early = client('/weather')
    server.broadcast('weather', [{ ...MODEL, state: 'STOPPED' }], [])
    markReady()
    const { frames } = await early
    expect(frames.map((frame) => JSON.parse(frame).event)).toEqual(['init'])
  })

  it('reports a port in use with the fix', async () => {
    const { server } = await start()
    const taken = startDiscoveryServer({
      host: '127.0.0.1',
      port: server.port,
      snapshot: () => [],
      standings: () => [],
      gate: createUpgradeGate('127.0.0.1', KEY),
      snapshotReady: Promise.resolve(),
      onFailureReport: () => undefined,
      limits: DEFAULT_DISCOVERY_LIMITS,
      log: rememberingLog(),
    })
    await expect(taken).rejects.toMatchObject({
      code: 'ADDRESS_UNAVAILABLE',
      message: expect.stringMatching(new RegExp(`port ${server.port} .* in use; stop .* or choose another`)),
    })
  })
})

describe('a WebSocket upgrade', () => {
  const listen = (host?: string) => start({}, [MODEL], Promise.resolve(), host)
  /** The status of the refusal; 101 if the client is accepted. */
  async function statusOf({ server }: Awaited<ReturnType<typeof listen>>, headers: Readonly<Record<string, string>>) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/weather`, { headers })
    return new Promise<number | undefined>((resolve) => {
      socket.on('error', () => undefined)
      socket.on('open', () => {
        resolve(101)
        socket.terminate()
      })
      socket.on('unexpected-response', (_, response) => {
        response.resume()
        resolve(response.statusCode)
      })
    })
  }

  it('is refused to web pages of any origin, including those whose host name resolves to this machine', async () => {
    const opened = await listen()
    const { port } = opened.server
    for (const origin of ['https://evil.example', `http://127.0.0.1:${port}`, 'http://localhost:3000', 'null']) {
      expect(await statusOf(opened, { origin })).toBe(403)
    }
    expect(await statusOf(opened, { 'sec-fetch-site': 'same-origin' })).toBe(403)
    for (const host of ['evil.example', `evil.example:${port}`, '10.0.0.1', 'a b']) {
      expect(await statusOf(opened, { host })).toBe(403)
    }
    expect(opened.log.lines[0]).toMatchObject({ level: 'warn', message: 'discovery client is refused' })
  })

  it('is accepted from programs without a key, such as deployed coordinators, and with the key from anywhere', async () => {
    const opened = await listen()
    expect(await statusOf(opened, {})).toBe(101)
    expect(await statusOf(opened, { host: `localhost:${opened.server.port}` })).toBe(101)
    const foreign = { origin: 'https://app.example', host: 'app.example' }
    expect(await statusOf(opened, { ...foreign, 'x-api-key': KEY })).toBe(101)
    expect(await statusOf(opened, { ...foreign, authorization: `Bearer ${KEY}` })).toBe(101)
    expect(await statusOf(opened, { 'x-api-key': 'wrong' })).toBe(401)
  })

  it('accepts names of a local network if it listens on one, but no public names', async () => {
    const opened = await listen('0.0.0.0')
    for (const host of ['model-orchestrator', '10.0.0.1:9091', '[::1]:9091', 'node.local', 'x.svc.cluster.local']) {
      expect(await statusOf(opened, { host })).toBe(101)
    }
    for (const host of ['evil.example', 'node.local.evil.example']) expect(await statusOf(opened, { host })).toBe(403)
  })

  it('with the key makes the client the coordinator in charge until it disconnects', async () => {
    const { server, client, keyed, reports } = await listen()
    const report = { model_id: '1', failure_code: 'UNKNOWN', failure_reason: null, ip: '' }
    const plain = await client('/weather')
    plain.send({ event: 'report_failure', data: [report] })
    await until('the report', () => reports.length === 1)
    expect([server.hasCoordinatorInCharge('weather'), keyed.length]).toEqual([false, 0])
    const inCharge = await client('/weather', { headers: { 'x-api-key': KEY } })
    inCharge.send({ event: 'report_failure', data: [report] })
    await until('the report of the coordinator in charge', () => keyed.length === 1)
    expect([server.hasCoordinatorInCharge('weather'), server.hasCoordinatorInCharge('other')]).toEqual([true, false])
    inCharge.close()
    await until('the client has disconnected', () => !server.hasCoordinatorInCharge('weather'))
  })
})
