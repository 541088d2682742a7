import { createServer, type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { errorText } from '@crunch/local-processes/errors'
import {
  type FailureReport,
  MAX_DISCOVERY_FRAME_BYTES,
  type ModelStanding,
  type ModelState,
  parseClientMessage,
  writeServerMessage,
} from '@crunch/model-protocol'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { OrchestratorLog } from '../../log.ts'
import type { Refusal, UpgradeJudgement } from '../http/access-gate.ts'
import { listenOn } from '../listen-on.ts'

/** The limits of the discovery socket. */
export interface DiscoveryLimits {
  /** Beyond this number only clients with the key are accepted. */
  readonly maxClients: number
  /** A client with more unread bytes is disconnected; it reconnects and gets a new snapshot. */
  readonly maxUnreadBytes: number
  /** How often clients are pinged. */
  readonly keepaliveMs: number
  /** A client that does not answer a ping within this time is disconnected; until the next ping unless given. */
  readonly pongTimeoutMs?: number
}

export const DEFAULT_DISCOVERY_LIMITS: DiscoveryLimits = {
  maxClients: 1_000,
  maxUnreadBytes: 8 * 1024 * 1024,
  keepaliveMs: 20_000,
}

/** Only so many bad messages of a client are logged, so that it cannot fill the log. */
const MAX_LOGGED_PROBLEMS = 10
/** How long a client may take to answer a close before its connection is destroyed. */
const CLOSE_GRACE_MS = 500
const NO_CRUNCH_ID = 'crunch_id is required and is expected in the path as /<crunch_id>'

/** The discovery socket: every client of a competition gets a snapshot, then every change. */
export interface DiscoveryServer {
  readonly port: number
  /** Sends changes to the clients of the competition. */
  broadcast(crunchId: string, states: readonly ModelState[], standings: readonly ModelStanding[]): void
  /** Whether a client of the competition has the key. */
  hasCoordinatorInCharge(crunchId: string): boolean
  close(): Promise<void>
}

interface Client {
  readonly crunchId: string
  readonly hasKey: boolean
  /** Whether it has received its snapshot; changes are sent only after that. */
  listed: boolean
  /** Runs until the client answers a ping. */
  overdue: NodeJS.Timeout | null
}

/** The dependencies of the discovery socket. */
export interface DiscoverySettings {
  readonly host: string
  readonly port: number
  /** All serving models of the competition; none for an unknown one. */
  readonly snapshot: (crunchId: string) => readonly ModelState[]
  /** Whether each model of the competition is listed or quarantined. */
  readonly standings: (crunchId: string) => readonly ModelStanding[]
  /** Judges the headers of an upgrade. */
  readonly gate: (headers: IncomingHttpHeaders) => UpgradeJudgement
  /** Clients wait for their snapshot until then: models that are still starting would be missing from it and count as absent. */
  readonly snapshotReady: Promise<void>
  readonly onFailureReport: OnFailureReport
  readonly limits: DiscoveryLimits
  readonly log: OrchestratorLog
}

type OnFailureReport = (crunchId: string, report: FailureReport, sender: { readonly hasKey: boolean }) => void

/** Listens, or throws `ADDRESS_UNAVAILABLE`. */
export async function startDiscoveryServer(settings: DiscoverySettings): Promise<DiscoveryServer> {
  const { log } = settings
  const http = createServer((_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain', connection: 'close' })
    response.end('Upgrade Required: use WebSocket\n')
  })
  const port = await listenOn(http, settings.host, settings.port, '--port, MODEL_RUNNER_NODE_PORT')
  http.on('error', (error) => log.error('discovery socket failed', { reason: error.message }))
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_DISCOVERY_FRAME_BYTES,
    perMessageDeflate: false,
  })
  sockets.on('error', (error) => log.error('discovery socket failed', { reason: error.message }))
  const clients = new Map<WebSocket, Client>()
  http.on('upgrade', (request, connection, head) => {
    const judgement = settings.gate(request.headers)
    if ('refusal' in judgement) return turnAway(connection, judgement.refusal, log)
    sockets.handleUpgrade(request, connection, head, (socket) => {
      const client = { crunchId: crunchIdOf(request), hasKey: judgement.hasKey, listed: false, overdue: null }
      welcome(socket, client, clients, settings)
    })
  })
  const keepalive = setInterval(() => pingAll(clients, settings.limits), settings.limits.keepaliveMs)
  return {
    port,
    hasCoordinatorInCharge: (crunchId) =>
      [...clients.values()].some((client) => client.hasKey && client.crunchId === crunchId),
    broadcast(crunchId, states, standings) {
      const frame = writeServerMessage('update', states, standings)
      for (const [socket, client] of [...clients]) {
        if (client.crunchId === crunchId && client.listed) send(socket, frame, settings)
      }
    },
    async close() {
      clearInterval(keepalive)
      const cut = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, CLOSE_GRACE_MS)
      for (const socket of sockets.clients) socket.close(1001)
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      http.closeIdleConnections()
      await closed
      clearTimeout(cut)
    },
  }
}

function turnAway(connection: Duplex, { status, text }: Refusal, log: OrchestratorLog): void {
  log.warn('discovery client is refused', { reason: text })
  // The client may have closed the connection already.
  connection.on('error', () => connection.destroy())
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n`
  connection.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}

function welcome(
  socket: WebSocket,
  client: Client,
  clients: Map<WebSocket, Client>,
  settings: DiscoverySettings,
): void {
  const { log, limits } = settings
  // Without a listener an oversized or broken frame would end the process.
  socket.on('error', (error) => log.warn('discovery client failed', { reason: error.message }))
  if (client.crunchId === '') {
    refuse(socket, NO_CRUNCH_ID, 1008)
    return
  }
  // The coordinator in charge is accepted even beyond the limit.
  if (clients.size >= limits.maxClients && !client.hasKey) {
    log.warn('discovery client is refused: too many clients', { clients: clients.size })
    refuse(socket, 'too many clients', 1013)
    return
  }
  clients.set(socket, client)
  socket.on('close', () => {
    clients.delete(socket)
    answered(client)
  })
  socket.on('pong', () => answered(client))
  socket.on('message', createReader(client, settings.onFailureReport, log))
  void settings.snapshotReady.then(() => sendSnapshot(socket, client, settings))
}

function sendSnapshot(socket: WebSocket, client: Client, settings: DiscoverySettings): void {
  const frame = writeServerMessage('init', settings.snapshot(client.crunchId), settings.standings(client.crunchId))
  if (frame.length > MAX_DISCOVERY_FRAME_BYTES) {
    settings.log.error('discovery snapshot is larger than clients accept; run fewer models', { bytes: frame.length })
  }
  client.listed = true
  send(socket, frame, settings)
}

function send(socket: WebSocket, frame: string, { limits, log }: DiscoverySettings): void {
  if (socket.readyState !== socket.OPEN) return // The client is being disconnected; its close event will follow.
  socket.send(frame)
  if (socket.bufferedAmount <= limits.maxUnreadBytes) return
  log.warn('discovery client reads too slowly and is disconnected', { unreadBytes: socket.bufferedAmount })
  socket.terminate()
}

function pingAll(clients: ReadonlyMap<WebSocket, Client>, { keepaliveMs, pongTimeoutMs }: DiscoveryLimits): void {
  for (const [socket, client] of clients) {
    socket.ping()
    client.overdue ??= setTimeout(() => socket.terminate(), pongTimeoutMs ?? keepaliveMs)
  }
}

function answered(client: Client): void {
  if (client.overdue !== null) clearTimeout(client.overdue)
  client.overdue = null
}

function refuse(socket: WebSocket, error: string, code: number): void {
  socket.send(JSON.stringify({ error }))
  socket.close(code)
}

/** Reads the messages of a client. Invalid ones are logged and get no answer. */
function createReader(
  { crunchId, hasKey }: Client,
  onFailureReport: OnFailureReport,
  log: OrchestratorLog,
): (data: RawData) => void {
  let problems = 0
  const note = (message: string, reason: string) => {
    problems += 1
    if (problems <= MAX_LOGGED_PROBLEMS) log.warn(message, { crunchId, reason: reason.slice(0, 500) })
    if (problems === MAX_LOGGED_PROBLEMS) log.warn('further problems of this discovery client will not be logged')
  }
  return (data) => {
    try {
      const message = parseClientMessage(String(data))
      if (message.event === 'unknown') return note('discovery client sent an unknown event', message.name)
      for (const { index, problem } of message.rejected) {
        note('failure report is ignored', `data.${index}: ${problem}`)
      }
      for (const report of message.data) onFailureReport(crunchId, report, { hasKey })
    } catch (error) {
      note('discovery client sent an invalid message', errorText(error))
    }
  }
}

/** The path without its outer slashes. */
function crunchIdOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split('?')
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  try {
    return decodeURIComponent(trimmed)
  } catch {
    // A path that is not validly encoded is used literally.
    return trimmed
  }
}
