import { scatteredBackOffMs } from '@crunch/local-processes'
import { type FailureReport, parseServerMessage, type ServerMessage, writeFailureReport } from '@crunch/model-protocol'
import { type RawData, WebSocket } from 'ws'
import { describeThrown } from '../../model-answers.ts'
import type { ResolvedOptions } from '../runner-options.ts'
import { createReportQueue } from './report-queue.ts'

/** Enough for the list of 50,000 models. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024
/** A peer that does not answer the close frame within this time is disconnected. */
const CLOSE_TIMEOUT_MS = 500

export interface DiscoveryOptions extends ResolvedOptions {
  readonly onMessage: (message: ServerMessage) => void
  /** Called when a connection that had delivered a list of models has ended. */
  readonly onLost: () => void
}

/** The subscription to the orchestrator's announcements. It reconnects until closed. */
export interface DiscoveryClient {
  /** True from a connection's first message, the list of models, until the connection ends. */
  reachable(): boolean
  /** Sends the report at once or, while disconnected, after the next list of models. */
  report(deploymentId: string, report: FailureReport): void
  close(): Promise<void>
}

/** Connects at once; failures are logged and retried. */
export function connectDiscovery(options: DiscoveryOptions): DiscoveryClient {
  return new WebSocketDiscovery(options)
}

class WebSocketDiscovery implements DiscoveryClient {
  readonly #options: DiscoveryOptions
  readonly #url: string
  readonly #reports = createReportQueue()
  #socket: WebSocket | undefined
  #retry: NodeJS.Timeout | undefined
  #listed = false
  #hasWarned = false
  #attempts = 0
  #closed = false

  constructor(options: DiscoveryOptions) {
    const { host, port, crunchId } = options
    this.#options = options
    this.#url = `ws://${host.includes(':') ? `[${host}]` : host}:${port}/${encodeURI(crunchId)}`
    this.#connect()
  }

  reachable(): boolean {
    return this.#listed
  }

  report(deploymentId: string, report: FailureReport): void {
    if (this.#listed) {
      this.#send([{ deploymentId, report }])
      return
    }
    const dropped = this.#reports.add({ deploymentId, report })
    if (dropped !== undefined) {
      this.#options.log.warn('failure report dropped', { modelId: dropped.report.model_id })
    }
  }

  close(): Promise<void> {
    this.#closed = true
    this.#listed = false
    clearTimeout(this.#retry)
    const socket = this.#socket
    if (socket === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS)
      socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      socket.close(1000)
    })
  }

  #connect(): void {
    const { connectTimeoutMs, keepaliveMs, orchestratorKey } = this.#options
    const key = orchestratorKey()
    const socket = new WebSocket(this.#url, {
      headers: key === undefined ? {} : { 'x-api-key': key },
      handshakeTimeout: connectTimeoutMs,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    })
    this.#socket = socket
    let problem = 'the connection was closed'
    let isAlive = true
    let listing: NodeJS.Timeout | undefined
    socket.on('open', () => {
      listing = setTimeout(() => {
        if (this.#listed) return
        problem = `no list of models within ${connectTimeoutMs} ms`
        socket.terminate()
      }, connectTimeoutMs)
    })
    const keepalive = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (!isAlive) {
        problem = `no message or pong for ${keepaliveMs} ms`
        socket.terminate()
        return
      }
      isAlive = false
      socket.ping()
    }, keepaliveMs)
    socket.on('pong', () => {
      isAlive = true
    })
    socket.on('message', (data, isBinary) => {
      isAlive = true
      this.#receive(data, isBinary)
    })
    socket.on('error', (error) => {
      problem = describeThrown(error)
    })
    socket.on('close', () => {
      clearInterval(keepalive)
      clearTimeout(listing)
      this.#lose(socket, problem)
    })
  }

  #lose(socket: WebSocket, problem: string): void {
    if (this.#socket === socket) this.#socket = undefined
    const wasListed = this.#listed
    this.#listed = false
    if (this.#closed) return
    if (wasListed) this.#options.onLost()
    if (!this.#hasWarned) this.#options.log.warn('model orchestrator is unreachable', { url: this.#url, problem })
    this.#hasWarned = true
    const { reconnectMs, maxReconnectMs } = this.#options
    this.#attempts += 1
    // Jitter: many coordinators may wait for the same orchestrator.
    const delayMs = scatteredBackOffMs(this.#attempts, { firstMs: reconnectMs, longestMs: maxReconnectMs })
    this.#retry = setTimeout(() => this.#connect(), delayMs)
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#closed) return
    let message: ServerMessage
    try {
      if (isBinary) throw new TypeError('a binary frame, where text was expected')
      message = parseServerMessage(String(data))
    } catch (error) {
      this.#options.log.warn('discovery message ignored', { url: this.#url, problem: describeThrown(error) })
      return
    }
    if (message.event === 'init' && !this.#listed) this.#arrive()
    this.#options.onMessage(message)
    if (message.event === 'init') {
      const announced = new Set(message.data.map(({ deployment_id: deploymentId }) => deploymentId))
      this.#send(this.#reports.takeFor(announced))
    }
  }

  #arrive(): void {
    this.#listed = true
    this.#attempts = 0
    this.#hasWarned = false
    this.#options.log.info('model orchestrator is connected', { url: this.#url })
  }

  #send(queued: readonly { readonly deploymentId: string; readonly report: FailureReport }[]): void {
    for (const item of queued) {
      this.#socket?.send(writeFailureReport([item.report]), (error) => {
        if (error != null && !this.#closed) this.#reports.add(item)
      })
    }
  }
}
