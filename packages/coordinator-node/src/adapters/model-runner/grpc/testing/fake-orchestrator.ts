import { type FailureReport, type ModelState, parseClientMessage, writeServerMessage } from '@crunch/model-protocol'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ModelIdentity } from '../../../../domain/models/model.ts'

/** An orchestrator that sends the announcements of a test. */
export interface FakeOrchestrator {
  readonly port: number
  /** The requested paths, one per connection. */
  readonly paths: readonly string[]
  readonly reports: readonly FailureReport[]
  /** Number of pings received. */
  readonly pings: number
  /** Sets the list that new subscribers receive. */
  list(states: readonly ModelState[]): void
  /** Sends an update to current subscribers. */
  update(...states: readonly ModelState[]): void
  send(text: string): void
  /** Ends all connections, and accepts new ones. */
  disconnect(): void
  /** The same, with a close frame. */
  dismiss(): void
  close(): Promise<void>
}

export interface FakeOrchestratorOptions {
  readonly states?: readonly ModelState[]
  /** Default: a free port that stays free after `close`, so that another orchestrator can take over the address. */
  readonly port?: number
  readonly answersPings?: boolean
  /** Whether a subscriber receives the list of models; default true. */
  readonly lists?: boolean
}

export async function startFakeOrchestrator(options: FakeOrchestratorOptions = {}): Promise<FakeOrchestrator> {
  const { answersPings = true, lists = true } = options
  let states = options.states ?? []
  const paths: string[] = []
  const reports: FailureReport[] = []
  const sockets = new Set<WebSocket>()
  let pings = 0
  const server =
    options.port === undefined ? await listenApart(answersPings) : await listenOn(options.port, answersPings)
  server.on('connection', (socket, request) => {
    paths.push(request.url ?? '')
    sockets.add(socket)
    socket.on('ping', () => {
      pings += 1
    })
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (data) => {
      const message = parseClientMessage(String(data))
      if (message.event === 'report_failure') reports.push(...message.data)
    })
    if (lists) socket.send(writeServerMessage('init', states))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the fake orchestrator has no port')
  const send = (text: string) => {
    for (const socket of sockets) socket.send(text)
  }
  let closed: Promise<void> | undefined
  const disconnect = () => {
    for (const socket of sockets) socket.terminate()
  }
  return {
    port: address.port,
    paths,
    reports,
    get pings() {
      return pings
    },
    list(next) {
      states = next
    },
    update: (...changed) => send(writeServerMessage('update', changed)),
    send,
    disconnect,
    dismiss() {
      for (const socket of sockets) socket.close(1001)
    },
    close() {
      closed ??= new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
      disconnect()
      return closed
    },
  }
}

/**
 * Ports below the ephemeral range: otherwise the server of another test could be given a port that is closed for a while.
 * Each process has a range of its own and rotates through it.
 */
const firstPort = 20_000
const portsPerProcess = 16
const processCount = 750
let opened = 0

async function listenApart(autoPong: boolean): Promise<WebSocketServer> {
  for (let tried = 0; tried < portsPerProcess; tried += 1) {
    const own = opened % portsPerProcess
    opened += 1
    try {
      return await listenOn(firstPort + (process.pid % processCount) * portsPerProcess + own, autoPong)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
  throw new Error(`this process has ${portsPerProcess} orchestrators already, or others have its ports`)
}

function listenOn(port: number, autoPong: boolean): Promise<WebSocketServer> {
  return new Promise((resolve, reject) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port, autoPong })
    server.once('listening', () => resolve(server))
    server.once('error', reject)
  })
}

/** The announcement of a running model on this machine. */
export function runningState(identity: ModelIdentity, port: number, changes: Partial<ModelState> = {}): ModelState {
  return {
    deployment_id: identity.deploymentId,
    model_id: identity.id,
    infos: {
      model_name: identity.name,
      cruncher_id: identity.cruncherId,
      cruncher_name: identity.cruncherName,
      cruncher_wallet_pubkey: null,
      cruncher_hotkey: null,
    },
    state: 'RUNNING',
    ip: '127.0.0.1',
    port,
    ...changes,
  }
}
