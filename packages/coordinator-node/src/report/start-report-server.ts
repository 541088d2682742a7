import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { CrunchError } from '../domain/errors.ts'

export interface ReportServerOptions {
  readonly app: { fetch(request: Request): Response | Promise<Response> }
  /** 0: any free one. */
  readonly port: number
  /** By default 127.0.0.1, this machine only; `0.0.0.0` opens it to the network. */
  readonly host?: string
  /** How long running requests may take once `close` is called; by default 3,000. */
  readonly drainTimeoutMs?: number
}

export interface ReportServer {
  readonly port: number
  /** Without a slash at its end. */
  readonly url: string
  /** Accepts no more requests, lets running ones finish within the drain time, then closes their connections. */
  close(): Promise<void>
}

const serverOptions = { maxHeaderSize: 65_536, headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 }

/** Serves the API once it listens; rejects with `PORT_IN_USE` or `SETTINGS_INVALID` when it cannot. */
export async function startReportServer(options: ReportServerOptions): Promise<ReportServer> {
  const { app, port, host = '127.0.0.1', drainTimeoutMs = 3_000 } = options
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions }) as Server
  server.maxConnections = 1_000
  const connections = trackConnections(server)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(listenError(error, port, host))
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve()
    })
  })
  const address = server.address() as AddressInfo
  const shownHost = address.family === 'IPv6' ? `[${host}]` : host
  return {
    port: address.port,
    url: `http://${shownHost}:${address.port}`,
    close: () => drain(server, connections, drainTimeoutMs),
  }
}

interface Connections {
  /** Closes idle connections at once, and the others after their response. */
  end(): void
}

/** Node's own `closeIdleConnections` spares connections that have not asked yet and those that become idle later. */
function trackConnections(server: Server): Connections {
  const runningBySocket = new Map<Socket, number>()
  let isEnding = false
  function count(socket: Socket, change: 1 | -1): void {
    const running = (runningBySocket.get(socket) ?? 0) + change
    runningBySocket.set(socket, running)
    if (isEnding && running === 0) socket.end()
  }
  server.on('connection', (socket: Socket) => {
    runningBySocket.set(socket, 0)
    socket.once('close', () => runningBySocket.delete(socket))
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    count(request.socket, 1)
    response.once('close', () => {
      if (runningBySocket.has(request.socket)) count(request.socket, -1)
    })
  })
  return {
    end() {
      isEnding = true
      for (const [socket, running] of runningBySocket) if (running === 0) socket.destroy()
    },
  }
}

function drain(server: Server, connections: Connections, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs)
    server.close((error) => {
      clearTimeout(cut)
      // A second call has no effect.
      const isClosed = (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_SERVER_NOT_RUNNING'
      if (error === undefined || isClosed) resolve()
      else reject(error)
    })
    connections.end()
  })
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code === 'EADDRINUSE') {
    const fix = 'Stop the program that uses it, or set REPORT_API_PORT to another port'
    return new CrunchError('PORT_IN_USE', `port ${port} on ${host} is taken. ${fix}.`, { cause: error })
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    const fix = 'Set REPORT_API_PORT to 1024 or more, and a host of this machine such as 127.0.0.1 or 0.0.0.0'
    const problem = `cannot listen on port ${port} of ${host} (${error.code})`
    return new CrunchError('SETTINGS_INVALID', `${problem}. ${fix}.`, { cause: error })
  }
  return error
}
