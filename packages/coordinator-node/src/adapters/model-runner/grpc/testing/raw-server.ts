import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect, createServer as createNetServer, type Server, type Socket } from 'node:net'
import { type Http2Connection, openHttp2Connection } from '../transport/http2-connection.ts'

export type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** An HTTP/2 server whose answers, valid or not, are written by the test. */
export interface RawServer {
  readonly port: number
  /** One session per connection, in order, including ended ones. */
  readonly sessions: readonly ServerHttp2Session[]
  /** Ends its connections like a dying process, without an HTTP/2 GOAWAY. */
  cut(): void
  /** Also stops listening. */
  close(): Promise<void>
}

export interface RawServerOptions {
  readonly host?: string
  /** Path of a Unix socket, instead of a port. */
  readonly path?: string
  readonly port?: number
}

export async function startRawServer(onStream: OnStream, options: RawServerOptions = {}): Promise<RawServer> {
  const { host = '127.0.0.1', path, port = 0 } = options
  const server = createServer()
  const sockets = collectSockets(server)
  const sessions: ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    onStream(stream, headers)
  })
  server.listen(path === undefined ? { host, port } : { path })
  await once(server, 'listening')
  return {
    port: path === undefined ? (server.address() as AddressInfo).port : 1,
    sessions,
    cut: () => cut(sockets),
    close: () => stop(server, sockets),
  }
}

/** A plain TCP server, for answers that are not HTTP/2. */
export async function startSocketServer(onSocket: (socket: Socket) => void): Promise<RawServer> {
  const server = createNetServer(onSocket)
  const sockets = collectSockets(server)
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sessions: [],
    cut: () => cut(sockets),
    close: () => stop(server, sockets),
  }
}

function collectSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}

function cut(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.destroy()
}

async function stop(server: Server, sockets: Iterable<Socket>): Promise<void> {
  server.close()
  cut(sockets)
  await once(server, 'close')
}

/** A promise that is resolved from outside. */
export function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let keep: ((value: T) => void) | undefined
  const promise = new Promise<T>((resolve) => {
    keep = resolve
  })
  return { promise, resolve: (value) => keep?.(value) }
}

export function connectTo(port: number, host = '127.0.0.1'): Http2Connection {
  return openHttp2Connection(() => connect({ host, port }))
}

export const grpcHeaders = { ':status': 200, 'content-type': 'application/grpc' } as const

/** Answers as a gRPC server does: headers, these bytes, trailers. */
export function respond(stream: ServerHttp2Stream, chunks: readonly Buffer[], trailers: Record<string, string>): void {
  stream.respond(grpcHeaders, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
}
