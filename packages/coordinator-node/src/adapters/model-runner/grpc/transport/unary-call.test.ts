import { type ClientHttp2Session, constants, type ServerHttp2Stream } from 'node:http2'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import {
  connectTo,
  deferred,
  grpcHeaders,
  type OnStream,
  type RawServer,
  respond,
  startRawServer,
} from '../testing/raw-server.ts'
import { frameMessage, startUnaryCall, type UnaryCall, type UnaryOutcome, type UnaryRequest } from './unary-call.ts'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function open(onStream: OnStream): Promise<{
  server: RawServer
  session: ClientHttp2Session
  start: (changes?: Partial<UnaryRequest>) => UnaryCall
  close: () => void
}> {
  const server = await startRawServer(onStream)
  closers.push(() => server.close())
  const connection = connectTo(server.port)
  closers.push(() => connection.close())
  expect(await connection.whenReady(5_000, { failFast: true })).toBe(true)
  const session = connection.session()!.http2
  const start = (changes: Partial<UnaryRequest> = {}) =>
    startUnaryCall(session, {
      authority: 'model.test',
      path: '/test.Model/Call',
      frame: frameMessage(Buffer.from('question')),
      timeoutMs: 5_000,
      maxReceiveBytes: 1_000,
      ...changes,
    })
  return { server, session, start, close: () => connection.close() }
}

/** The outcome of a call that the server answers like this. The connection must be usable for another call afterwards. */
async function outcomeOf(answer: (stream: ServerHttp2Stream) => void): Promise<UnaryOutcome> {
  let calls = 0
  const { start, server } = await open((stream) => {
    calls += 1
    if (calls === 1) answer(stream)
    else respond(stream, [frameMessage(Buffer.from('well'))], { 'grpc-status': '0' })
  })
  const outcome = await start().outcome
  expect(await start().outcome).toEqual({ kind: 'bytes', bytes: Buffer.from('well') })
  expect(server.sessions).toHaveLength(1)
  return outcome
}

const trailersOnly = (headers: Record<string, string>) => (stream: ServerHttp2Stream) =>
  stream.respond({ ...grpcHeaders, ...headers }, { endStream: true })

describe('the request', () => {
  it('is a gRPC POST with a deadline, headers and one framed message', async () => {
    let headers: unknown
    const received: Buffer[] = []
    const { start } = await open((stream, given) => {
      headers = { ...given }
      stream.on('data', (chunk: Buffer) => received.push(chunk))
      stream.on('end', () => respond(stream, [frameMessage(Buffer.from('answer'))], { 'grpc-status': '0' }))
    })
    const outcome = await start({ headers: { 'x-proof': 'abc' }, timeoutMs: 1_234.2 }).outcome
    expect(outcome).toEqual({ kind: 'bytes', bytes: Buffer.from('answer') })
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': 'model.test',
      ':path': '/test.Model/Call',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '1235m',
      'x-proof': 'abc',
    })
    expect(Buffer.concat(received)).toEqual(Buffer.from('\0\0\0\0\bquestion', 'latin1'))
  })

  it.each([
    [0, '1m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [1e15, '99999999S'],
  ])('encodes a time limit of %s ms as %s', async (timeoutMs, expected) => {
    let timeout: unknown
    const { start } = await open((stream, headers) => {
      timeout = headers['grpc-timeout']
      respond(stream, [frameMessage(Buffer.alloc(0))], { 'grpc-status': '0' })
    })
    expect(await start({ timeoutMs }).outcome).toEqual({ kind: 'bytes', bytes: Buffer.alloc(0) })
    expect(timeout).toBe(expected)
  })

  it('may be only partly read by the server', async () => {
    const { start } = await open(trailersOnly({ 'grpc-status': '8', 'grpc-message': 'larger than max' }))
    const frame = frameMessage(Buffer.alloc(8 * 1024 * 1024))
    expect(await start({ frame }).outcome).toEqual({ kind: 'error', code: 8, details: 'larger than max' })
  })
})

describe('the status', () => {
  const codes = Object.values(status).filter((code): code is status => typeof code === 'number' && code !== 0)

  it.each(codes)('%i is returned with its message from the trailers', async (code) => {
    const outcome = await outcomeOf((stream) =>
      respond(stream, [], { 'grpc-status': String(code), 'grpc-message': 'because' }),
    )
    expect(outcome).toEqual({ kind: 'error', code, details: 'because' })
  })

  it.each(codes)('%i is returned with its message from headers without an answer', async (code) => {
    const outcome = await outcomeOf(trailersOnly({ 'grpc-status': String(code), 'grpc-message': 'because' }))
    expect(outcome).toEqual({ kind: 'error', code, details: 'because' })
  })

  it.each(['17', '-1', '', 'OK', '1e0', '0x5', 'toString'])('"%s" is unknown', async (code) => {
    const outcome = await outcomeOf((stream) =>
      respond(stream, [frameMessage(Buffer.from('x'))], { 'grpc-status': code }),
    )
    expect(outcome).toEqual({ kind: 'error', code: status.UNKNOWN, details: '' })
  })

  it('of a failure overrides the message that came before it', async () => {
    const outcome = await outcomeOf((stream) =>
      respond(stream, [frameMessage(Buffer.from('x'))], { 'grpc-status': '10', 'grpc-message': 'changed its mind' }),
    )
    expect(outcome).toEqual({ kind: 'error', code: status.ABORTED, details: 'changed its mind' })
  })

  it.each([
    ['%E2%9C%93 d%C3%A9j%C3%A0%0Avu', '✓ déjà\nvu'],
    ['100%', '100%'],
    ['50%25 of %zz%4', '50% of %zz%4'],
    ['%ff%41', '\ufffdA'],
  ])('has the decoded message of %s', async (written, details) => {
    const outcome = await outcomeOf(trailersOnly({ 'grpc-status': '2', 'grpc-message': written }))
    expect(outcome).toEqual({ kind: 'error', code: status.UNKNOWN, details })
  })
})

describe('an answer that is not gRPC', () => {
  it.each([
    [400, status.INTERNAL],
    [401, status.UNAUTHENTICATED],
    [403, status.PERMISSION_DENIED],
    [404, status.UNIMPLEMENTED],
    [418, status.UNKNOWN],
    [429, status.UNAVAILABLE],
    [502, status.UNAVAILABLE],
    [503, status.UNAVAILABLE],
    [504, status.UNAVAILABLE],
  ])('with the HTTP status %i is %i', async (httpStatus, code) => {
    const outcome = await outcomeOf((stream) => {
      stream.respond({ ':status': httpStatus, 'content-type': 'text/html' })
      stream.end('<html><body>a page of a proxy</body></html>')
    })
    expect(outcome).toEqual({ kind: 'error', code, details: `the server answered with the HTTP status ${httpStatus}` })
  })

  it.each(['text/html', 'application/grpc-web', undefined])('has the type %s', async (contentType) => {
    const outcome = await outcomeOf((stream) => {
      stream.respond({ ':status': 200, ...(contentType && { 'content-type': contentType }) })
      stream.end('<html><body>hello</body></html>')
    })
    expect(outcome).toMatchObject({ kind: 'error', code: status.UNKNOWN })
    expect(outcome).toHaveProperty('details', expect.stringContaining(contentType ?? 'none'))
  })

  it('ends without trailers', async () => {
    const outcome = await outcomeOf((stream) => {
      stream.respond(grpcHeaders)
      stream.end(frameMessage(Buffer.from('answer')))
    })
    const details = 'the server ended its answer without a status'
    expect(outcome).toEqual({ kind: 'error', code: status.INTERNAL, details })
  })

  const resets: Record<number, status> = {
    [constants.NGHTTP2_REFUSED_STREAM]: status.UNAVAILABLE,
    [constants.NGHTTP2_CANCEL]: status.CANCELLED,
    [constants.NGHTTP2_ENHANCE_YOUR_CALM]: status.RESOURCE_EXHAUSTED,
    [constants.NGHTTP2_INADEQUATE_SECURITY]: status.PERMISSION_DENIED,
  }

  it.each(Array.from({ length: 14 }, (_, code) => code))('is reset with the code %i', async (code) => {
    const outcome = await outcomeOf((stream) => stream.close(code))
    expect(outcome).toMatchObject({ kind: 'error', code: resets[code] ?? status.INTERNAL })
    const details = code === 0 ? 'without a status' : `RST_STREAM ${code}`
    expect(outcome).toHaveProperty('details', expect.stringContaining(details))
  })

  it('is reset in the middle of its message', async () => {
    const outcome = await outcomeOf((stream) => {
      stream.respond(grpcHeaders)
      stream.write(frameMessage(Buffer.from('answer')).subarray(0, 8), () => stream.close(2))
    })
    expect(outcome).toMatchObject({ kind: 'error', code: status.INTERNAL })
  })
})

describe('the message of an answer', () => {
  const ok = { 'grpc-status': '0' }

  it('may arrive byte by byte', async () => {
    const frame = frameMessage(Buffer.from('slowly'))
    const outcome = await outcomeOf((stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers(ok))
      const send = (index: number): void => {
        if (index === frame.length) stream.end()
        else stream.write(frame.subarray(index, index + 1), () => setImmediate(send, index + 1))
      }
      send(0)
    })
    expect(outcome).toEqual({ kind: 'bytes', bytes: Buffer.from('slowly') })
  })

  it.each([
    ['missing', []],
    ['cut in its prefix', [Buffer.from([0, 0, 0])]],
    ['cut', [frameMessage(Buffer.from('answer')).subarray(0, -1)]],
  ])('is %s', async (_, chunks) => {
    const outcome = await outcomeOf((stream) => respond(stream, chunks, ok))
    expect(outcome).toMatchObject({ kind: 'error', code: status.INTERNAL })
    expect(outcome).toHaveProperty('details', expect.stringMatching(/^the answer ended after \d+ bytes, before/))
  })

  it('is refused when it arrives in thousands of small pieces', async () => {
    const frame = frameMessage(Buffer.alloc(5_000))
    let sent = 0
    const { start } = await open((stream) => {
      stream.respond(grpcHeaders)
      // Each piece is a frame of its own because it is sent after the previous one.
      const sendNext = () => {
        if (!stream.destroyed && sent < frame.length) stream.write(frame.subarray(sent, ++sent), sendNext)
      }
      sendNext()
    })
    const outcome = await start({ maxReceiveBytes: 10_000 }).outcome
    expect(outcome).toMatchObject({ kind: 'error', details: 'the answer arrives in too many small pieces' })
    expect(sent).toBeLessThan(frame.length)
  })

  it.each([
    ['in one piece', [Buffer.concat([frameMessage(Buffer.from('a')), frameMessage(Buffer.from('b'))])]],
    ['in two', [frameMessage(Buffer.from('a')), frameMessage(Buffer.from('b'))]],
    ['the second a mere byte', [frameMessage(Buffer.from('a')), Buffer.from([0])]],
  ])('is refused when a second one follows, %s', async (_, chunks) => {
    const outcome = await outcomeOf((stream) => respond(stream, chunks, ok))
    const details = 'the answer has more than one message'
    expect(outcome).toEqual({ kind: 'error', code: status.INTERNAL, details })
  })

  it('is refused when compressed', async () => {
    const frame = frameMessage(Buffer.from('answer'))
    frame[0] = 1
    const outcome = await outcomeOf((stream) => respond(stream, [frame], ok))
    expect(outcome).toMatchObject({ kind: 'error', code: status.INTERNAL })
    expect(outcome).toHaveProperty('details', expect.stringContaining('compressed'))
  })

  it('may be as large as the limit', async () => {
    const outcome = await outcomeOf((stream) => respond(stream, [frameMessage(Buffer.alloc(1_000, 1))], ok))
    expect(outcome).toEqual({ kind: 'bytes', bytes: Buffer.alloc(1_000, 1) })
  })

  it('is refused as soon as its prefix announces a larger size', async () => {
    const closed = deferred<number>()
    const outcome = await outcomeOf((stream) => {
      stream.respond(grpcHeaders)
      // The rest never arrives: a call that waited for it would not end.
      stream.write(frameMessage(Buffer.alloc(1_001)).subarray(0, 5))
      stream.on('close', () => closed.resolve(stream.rstCode))
    })
    const details = 'the answer has 1001 bytes, larger than the limit of 1000'
    expect(outcome).toEqual({ kind: 'error', code: status.RESOURCE_EXHAUSTED, details })
    expect(await closed.promise).toBe(constants.NGHTTP2_CANCEL)
  })
})

describe('a call that is cancelled', () => {
  it('before its answer ends as CANCELLED, and the server is notified', async () => {
    const arrived = deferred<ServerHttp2Stream>()
    const { start } = await open((stream) => arrived.resolve(stream))
    const call = start()
    const stream = await arrived.promise
    const closed = new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode)))
    call.cancel()
    expect(await call.outcome).toMatchObject({ kind: 'error', code: status.CANCELLED })
    expect(await closed).toBe(constants.NGHTTP2_CANCEL)
  })

  it('before it was sent ends as CANCELLED', async () => {
    const { start } = await open(() => {})
    const call = start()
    call.cancel()
    expect(await call.outcome).toMatchObject({ kind: 'error', code: status.CANCELLED })
  })

  it('after its answer returns that answer', async () => {
    const { start } = await open((stream) => respond(stream, [frameMessage(Buffer.from('x'))], { 'grpc-status': '0' }))
    const call = start()
    const outcome = await call.outcome
    call.cancel()
    call.cancel()
    expect(outcome).toEqual({ kind: 'bytes', bytes: Buffer.from('x') })
  })
})

describe('a connection that ends', () => {
  it.each([
    ['before an answer', () => {}],
    ['in the middle of one', (stream: ServerHttp2Stream) => stream.respond(grpcHeaders)],
  ])('ends its calls as UNAVAILABLE, %s', async (_, begin) => {
    let calls = 0
    const { start, server } = await open((stream) => {
      calls += 1
      begin(stream)
      if (calls === 2) setImmediate(() => server.cut())
    })
    const outcomes = await Promise.all([start().outcome, start().outcome])
    const lost = { kind: 'error', code: status.UNAVAILABLE, details: 'the connection was lost', absence: 'lost' }
    expect(outcomes).toEqual([lost, lost])
  })

  it('because this side closed it ends its calls and refuses new ones', async () => {
    const arrived = deferred<void>()
    const { start, session, close } = await open(() => arrived.resolve())
    const call = start()
    await arrived.promise
    close()
    expect(await call.outcome).toMatchObject({ kind: 'error' })
    expect(session.destroyed).toBe(true)
    expect(await start().outcome).toMatchObject({ kind: 'error', code: status.UNAVAILABLE })
  })
})
