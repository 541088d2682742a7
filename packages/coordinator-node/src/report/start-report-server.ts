import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { CrunchError } from '../domain/errors.ts'
import { answerMalformed, answerUnreadable } from './http/malformed-requests.ts'

export interface ReportServerOptions {
  readonly app: { fetch(request: Request): Response | Promise<Response> }
  /** 0: any free one. */
  readonly port: number
  /** The setting of the port, for errors. */
  readonly portSetting?: 'REPORT_API_PORT' | 'REPORT_UI_PORT'
  /** By default 127.0.0.1, this machine only; `0.0.0.0` opens it to the network. */
  readonly host?: string
  /** How long running requests may take once `close` is called; by default 3,000. */
  readonly drainTimeoutMs?: number
  /** How long a client may take. Shorter ones are for tests. */
  readonly patience?: Patience
}

/** Times within which a client must have sent its headers and its whole request, and how often that is checked. */
export interface Patience {
  readonly headersMs: number
  readonly requestMs: number
  readonly checkMs: number
}

export interface ReportServer {
  readonly port: number
  /** Without a slash at its end. */
  readonly url: string
  /** Accepts no more requests, lets running ones finish within the drain time, then closes their connections. */
  close(): Promise<void>
}

const defaultPatience: Patience = { headersMs: 10_000, requestMs: 30_000, checkMs: 2_000 }
/** Connections in all. */
const maxConnections = 4_000
/** Connections without a running request. Beyond it, the one that is idle for longest is closed, so that others are always served. */
const maxIdleConnections = 1_000

/** Serves the API once it listens; rejects with `PORT_IN_USE` or `SETTINGS_INVALID` when it cannot. */
export async function startReportServer(options: ReportServerOptions): Promise<ReportServer> {
  const { app, port, host = '127.0.0.1', drainTimeoutMs = 3_000, patience = defaultPatience } = options
  const { portSetting = 'REPORT_API_PORT' } = options
  const serverOptions = {
    ...{ maxHeaderSize: 65_536, keepAliveTimeout: 5_000 },
    ...{ headersTimeout: patience.headersMs, requestTimeout: patience.requestMs },
    connectionsCheckingInterval: patience.checkMs,
    // Refused with a body, which Node's own answer has not.
    requireHostHeader: false,
  }
  const server = createServer(serverOptions, getRequestListener(app.fetch, { errorHandler: answerUnreadable }))
  answerMalformed(server)
  server.maxConnections = maxConnections
  // Node would drop headers beyond its limit without a word; the size of all is limited.
  server.maxHeadersCount = 0
  const connections = trackConnections(server)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(listenError(error, { port, host, portSetting }))
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve()
    })
  })
  const address = server.address() as AddressInfo
  // 0.0.0.0 and :: are bind addresses, not destinations.
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const shownHost = address.family === 'IPv6' ? `[${reached}]` : reached
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
  /** In the order in which they became idle. */
  const idle = new Set<Socket>()
  let isEnding = false
  function note(socket: Socket, isIdle: boolean): void {
    if (!isIdle) idle.delete(socket)
    else if (idle.size < maxIdleConnections || idle.has(socket)) idle.add(socket)
    else {
      for (const oldest of idle) {
        idle.delete(oldest)
        oldest.destroy()
        break
      }
      idle.add(socket)
    }
  }
  function count(socket: Socket, change: 1 | -1): void {
    const running = (runningBySocket.get(socket) ?? 0) + change
    runningBySocket.set(socket, running)
    note(socket, running === 0)
    if (isEnding && running === 0) socket.end()
  }
  server.on('connection', (socket: Socket) => {
    runningBySocket.set(socket, 0)
    note(socket, true)
    socket.once('close', () => {
      runningBySocket.delete(socket)
      idle.delete(socket)
    })
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

function listenError(
  error: NodeJS.ErrnoException,
  { port, host, portSetting }: Required<Pick<ReportServerOptions, 'port' | 'host' | 'portSetting'>>,
): Error {
  if (error.code === 'EADDRINUSE') {
    const fix = `Stop the program that uses it, or set ${portSetting} to another port`
    return new CrunchError('PORT_IN_USE', `port ${port} on ${host} is taken. ${fix}.`, { cause: error })
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    const fix = `Set ${portSetting} to 1024 or more, and a host of this machine such as 127.0.0.1 or 0.0.0.0`
    const problem = `cannot listen on port ${port} of ${host} (${error.code})`
    return new CrunchError('SETTINGS_INVALID', `${problem}. ${fix}.`, { cause: error })
  }
  return error
}
