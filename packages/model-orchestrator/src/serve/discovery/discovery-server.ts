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
  /** Beyond it only clients with the key are taken. */
  readonly maxClients: number
  /** A client that leaves more than this unread is cut off; it reconnects and gets a fresh snapshot. */
  readonly maxUnreadBytes: number
  /** How often clients are pinged. */
  readonly keepaliveMs: number
  /** A client that does not answer a ping within this time is cut off; until the next ping unless given. */
  readonly pongTimeoutMs?: number
}

export const DEFAULT_DISCOVERY_LIMITS: DiscoveryLimits = {
  maxClients: 1_000,
  maxUnreadBytes: 8 * 1024 * 1024,
  keepaliveMs: 20_000,
}

/** After this many bad messages a client's further ones are ignored in silence, or one client could fill the log. */
const MAX_LOGGED_PROBLEMS = 10
/** A client has this long to answer a close before its connection is cut. */
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
  /** Whether it has its snapshot; changes come after that. */
  listed: boolean
  /** Runs while it owes the answer to a ping. */
  overdue: NodeJS.Timeout | null
}

/** What the socket needs from the orchestrator. */
export interface DiscoverySettings {
  readonly host: string
  readonly port: number
  /** All models of the competition that serve now; none for an unknown competition. */
  readonly snapshot: (crunchId: string) => readonly ModelState[]
  /** What is intended with each model of the competition. */
  readonly standings: (crunchId: string) => readonly ModelStanding[]
  /** Judges the headers of an upgrade. */
  readonly gate: (headers: IncomingHttpHeaders) => UpgradeJudgement
  /** Until then clients wait for their snapshot: one without the models that are starting would count them as absent. */
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
  // Its end of the connection may be gone already.
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
  // The limit is for strangers: however many there are, the coordinator in charge gets in.
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
  if (socket.readyState !== socket.OPEN) return // It is being cut off; its close event has yet to come.
  socket.send(frame)
  if (socket.bufferedAmount <= limits.maxUnreadBytes) return
  log.warn('discovery client reads too slowly and is cut off', { unreadBytes: socket.bufferedAmount })
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

/** Reads what a client sends; anything wrong is logged and answered by nothing. */
function createReader(
  { crunchId, hasKey }: Client,
  onFailureReport: OnFailureReport,
  log: OrchestratorLog,
): (data: RawData) => void {
  let problems = 0
  const note = (message: string, reason: string) => {
    problems += 1
    if (problems <= MAX_LOGGED_PROBLEMS) log.warn(message, { crunchId, reason: reason.slice(0, 500) })
    if (problems === MAX_LOGGED_PROBLEMS) log.warn('further problems of this discovery client are not logged')
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
      note('discovery client sent a message that cannot be used', errorText(error))
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
    // Not an encoded path: it is taken literally.
    return trimmed
  }
}
