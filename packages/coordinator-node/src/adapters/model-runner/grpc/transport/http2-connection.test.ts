import { mkdtemp, rm } from 'node:fs/promises'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readModelAddress } from '../discovery/model-address.ts'
import {
  connectTo,
  deferred,
  type OnStream,
  type RawServer,
  respond,
  startRawServer,
  startSocketServer,
} from '../testing/raw-server.ts'
import { type Http2Connection, openHttp2Connection } from './http2-connection.ts'
import { frameMessage, startUnaryCall, type UnaryOutcome } from './unary-call.ts'

const closers: (() => unknown)[] = []
const answered = { kind: 'bytes', bytes: Buffer.from('well') }

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const answer: OnStream = (stream) => respond(stream, [frameMessage(Buffer.from('well'))], { 'grpc-status': '0' })

async function serve(onStream: OnStream = answer, options = {}): Promise<RawServer> {
  const server = await startRawServer(onStream, options)
  closers.push(() => server.close())
  return server
}

function open(port: number, host?: string): Http2Connection {
  const connection = connectTo(port, host)
  closers.push(() => connection.close())
  return connection
}

function call(connection: Http2Connection): Promise<UnaryOutcome> {
  const session = connection.session()
  if (session === undefined) throw new Error('there is no connection')
  const frame = frameMessage(Buffer.from('how?'))
  const request = { authority: 'model.test', path: '/test.Model/Call', frame, timeoutMs: 5_000, maxReceiveBytes: 1_000 }
  return startUnaryCall(session.http2, request).outcome
}

const ready = (connection: Http2Connection) => connection.whenReady(5_000, { failFast: false })
const readyAtOnce = (connection: Http2Connection) => connection.whenReady(5_000, { failFast: true })

describe('a connection', () => {
  it('is ready when the server has sent its HTTP/2 settings', async () => {
    const connection = open((await serve()).port)
    expect(connection.session()).toBeUndefined()
    expect(await readyAtOnce(connection)).toBe(true)
    expect(connection.problem()).toBeUndefined()
    expect(await call(connection)).toEqual(answered)
  })

  it('can use IPv6', async ({ skip }) => {
    const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
    if (process.env.CI === undefined && !hasIpv6) skip('this machine has no IPv6')
    const { port } = await serve(answer, { host: '::1' })
    for (const ip of ['::1', '[::1]']) {
      const connection = openHttp2Connection(() => connect(readModelAddress(ip, port).endpoint))
      closers.push(() => connection.close())
      expect(await readyAtOnce(connection)).toBe(true)
      expect(await call(connection)).toEqual(answered)
    }
  })

  it('can use a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'socket-'))
    closers.push(() => rm(folder, { recursive: true }))
    await serve(answer, { path: join(folder, 'sock:1') })
    const connection = openHttp2Connection(() => connect(readModelAddress(`unix:${folder}/sock`, 1).endpoint))
    closers.push(() => connection.close())
    expect(await readyAtOnce(connection)).toBe(true)
    expect(await call(connection)).toEqual(answered)
  })

  it('never becomes ready once closed', async () => {
    const connection = open((await serve()).port)
    connection.close()
    expect(await ready(connection)).toBe(false)
    expect(connection.session()).toBeUndefined()
  })

  it('ends pending waits when it is closed', async () => {
    const { port } = await serveBytes(() => {})
    const connection = open(port)
    const waiting = ready(connection)
    connection.close()
    expect(await waiting).toBe(false)
  })
})

describe('a failing connection attempt', () => {
  it('is reported at once when refused, and repeated until a server listens', async () => {
    const first = await startRawServer(answer)
    await first.close()
    const connection = open(first.port)
    expect(await readyAtOnce(connection)).toBe(false)
    expect(connection.problem()).toEqual({ text: `connect ECONNREFUSED 127.0.0.1:${first.port}`, isFinal: false })
    expect(await connection.whenReady(50, { failFast: false })).toBe(false)
    await serve(answer, { port: first.port })
    expect(await ready(connection)).toBe(true)
    expect(await call(connection)).toEqual(answered)
  })

  it.each([
    ['answers HTTP/1.1', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
    ['sends random bytes', Buffer.from([0, 255, 1, 254])],
    ['closes without an answer', ''],
  ])('results from a server that %s', async (_, text) => {
    const { port } = await serveBytes((socket) => socket.on('data', () => socket.end(text)))
    const connection = open(port)
    expect(await readyAtOnce(connection)).toBe(false)
    expect(connection.problem()).toMatchObject({ isFinal: false, text: expect.stringMatching(/./) })
    expect(connection.session()).toBeUndefined()
  })

  it('results from a silent server, within the time limit', async () => {
    const connection = open((await serveBytes(() => {})).port)
    expect(await connection.whenReady(50, { failFast: true })).toBe(false)
  })

  it.each([
    ['an invalid host', '127.0.0.1/x?y', 80],
    ['an invalid port', '127.0.0.1', 99_999],
  ])('comes of %s, without an exception', async (_, host, port) => {
    const connection = open(port, host)
    expect(await readyAtOnce(connection)).toBe(false)
    expect(connection.problem()?.text).toMatch(/./)
  })

  it('is repeated with growing pauses', async () => {
    const at: number[] = []
    const { port } = await serveBytes((socket) => {
      at.push(performance.now())
      socket.destroy()
    })
    open(port)
    await expect.poll(() => at.length, { timeout: 5_000 }).toBe(4)
    const pauses = at.slice(1).map((time, index) => time - at[index]!)
    for (const [index, atLeast] of [95, 195, 395].entries()) expect(pauses[index]).toBeGreaterThan(atLeast)
  })

  it('is also followed by a pause when the server sends its settings and hangs up', async () => {
    const server = await serve()
    const connection = open(server.port)
    for (let turn = 0; turn < 4; turn += 1) {
      expect(await ready(connection)).toBe(true)
      const startedAt = performance.now()
      server.cut()
      await expect.poll(() => connection.session()).toBeUndefined()
      expect(await readyAtOnce(connection)).toBe(true)
      expect(performance.now() - startedAt).toBeGreaterThan(95 * 2 ** turn)
    }
  })
})

describe('a server that shuts down', () => {
  it('finishes its open calls; the client reconnects', async () => {
    const arrived = deferred<ServerHttp2Stream>()
    let calls = 0
    const server = await serve((stream, headers) => {
      calls += 1
      if (calls > 1) answer(stream, headers)
      else arrived.resolve(stream)
    })
    const connection = open(server.port)
    await ready(connection)
    const { http2: old } = connection.session()!
    const running = call(connection)
    const stream = await arrived.promise
    server.sessions[0]!.goaway()
    await expect.poll(() => connection.session() !== undefined && connection.session()?.http2 !== old).toBe(true)
    expect(await call(connection)).toEqual(answered)
    respond(stream, [frameMessage(Buffer.from('well'))], { 'grpc-status': '0' })
    expect(await running).toEqual(answered)
    await expect.poll(() => old.destroyed).toBe(true)
    expect(server.sessions).toHaveLength(2)
  })

  it('with an error ends its open calls; the client reconnects', async () => {
    const arrived = deferred<void>()
    const server = await serve(() => arrived.resolve())
    const connection = open(server.port)
    await ready(connection)
    const running = call(connection)
    await arrived.promise
    server.sessions[0]!.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    expect(await running).toMatchObject({ kind: 'error', code: 14 })
    await expect.poll(() => server.sessions.length).toBe(2)
    expect(await ready(connection)).toBe(true)
  })

  it('and stays away is reconnected to when it is back', async () => {
    const server = await startRawServer(answer)
    const connection = open(server.port)
    await ready(connection)
    await server.close()
    await expect.poll(() => connection.session()).toBeUndefined()
    await serve(answer, { port: server.port })
    expect(await ready(connection)).toBe(true)
    expect(await call(connection)).toEqual(answered)
  })
})

async function serveBytes(onSocket: (socket: Socket) => void): Promise<RawServer> {
  const server = await startSocketServer(onSocket)
  closers.push(() => server.close())
  return server
}
