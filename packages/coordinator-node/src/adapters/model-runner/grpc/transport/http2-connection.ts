import { type ClientHttp2Session, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { backOffMs } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'

/** Pause before the first attempt to reconnect; doubles each time. */
const RECONNECT = { firstMs: 100, longestMs: 1_000 }
/** Time limit for the server to accept a connection and send its settings. */
const GREETING_MS = 10_000
/** Flow-control window: how much the server may send before this side reads. Larger than all but large answers. */
const WINDOW_BYTES = 1024 * 1024

/** A connection that reconnects by itself until it is closed. */
export interface Http2Connection {
  /** The session for new calls; `undefined` while disconnected. */
  session(): OpenSession | undefined
  /**
   * Waits for the connection. With `failFast` a refused connection ends the wait; without it, only the time limit or a
   * problem that no further attempt can solve does. Never rejects.
   */
  whenReady(timeoutMs: number, options: { readonly failFast: boolean }): Promise<boolean>
  /** Why the last attempt to connect failed; `undefined` if it succeeded. */
  problem(): ConnectionProblem | undefined
  /** Ends every call. */
  close(): void
}

export interface OpenSession {
  readonly http2: ClientHttp2Session
  readonly socket: Socket
}

export interface ConnectionProblem {
  readonly text: string
  /** Certificates or security modes of the two sides do not match: another attempt would fail in the same way. */
  readonly isFinal: boolean
}

/** Starts to connect at once. `openSocket` starts one attempt; a TLS socket must offer HTTP/2. */
export function openHttp2Connection(openSocket: () => Socket): Http2Connection {
  return new ReconnectingConnection(openSocket)
}

type State = 'connecting' | 'ready' | 'failed' | 'closed'

interface Attempt extends OpenSession {
  readyAt: number | undefined
  error: Error | undefined
  /** The handshake was completed and used our certificate. */
  hasShownCertificate: boolean
}

class ReconnectingConnection implements Http2Connection {
  readonly #openSocket: () => Socket
  readonly #waiting = new Set<() => void>()
  /** Current attempt, and earlier ones that are shutting down with open calls. */
  readonly #attempts = new Set<Attempt>()
  #state: State = 'connecting'
  #current: Attempt | undefined
  #problem: ConnectionProblem | undefined
  #failures = 0
  #retry: NodeJS.Timeout | undefined

  constructor(openSocket: () => Socket) {
    this.#openSocket = openSocket
    this.#start()
  }

  session(): OpenSession | undefined {
    return this.#state === 'ready' ? this.#current : undefined
  }

  problem(): ConnectionProblem | undefined {
    return this.#problem
  }

  whenReady(timeoutMs: number, { failFast }: { readonly failFast: boolean }): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isReady: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(isReady)
      }
      const look = () => {
        const mayGiveUp = failFast || this.#problem?.isFinal === true
        if (this.#state === 'ready') end(true)
        else if (this.#state === 'closed' || (mayGiveUp && this.#state === 'failed')) end(false)
      }
      const timer = setTimeout(() => end(false), timeoutMs)
      this.#waiting.add(look)
      look()
    })
  }

  close(): void {
    if (this.#state === 'closed') return
    clearTimeout(this.#retry)
    this.#enter('closed')
    this.#current = undefined
    for (const { http2 } of this.#attempts) http2.destroy(undefined, constants.NGHTTP2_CANCEL)
  }

  #enter(next: State): void {
    this.#state = next
    for (const look of [...this.#waiting]) look()
  }

  #start(): void {
    try {
      this.#attempt(this.#openSocket())
    } catch (error) {
      // The address is invalid: it comes from the orchestrator unchecked.
      this.#problem = { text: errorText(error), isFinal: true }
      this.#enter('failed')
    }
  }

  #attempt(socket: Socket): void {
    // This host is not used: each request sends its own `:authority`.
    const http2 = connect(socket instanceof TLSSocket ? 'https://localhost' : 'http://localhost', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      // The size limit of a message bounds memory. Node's own limit would also end the other calls of the session.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    })
    const attempt: Attempt = { http2, socket, readyAt: undefined, error: undefined, hasShownCertificate: false }
    this.#current = attempt
    this.#attempts.add(attempt)
    const end = (error?: Error) => {
      attempt.error ??= error
      clearTimeout(greeting)
      this.#attempts.delete(attempt)
      this.#lose(attempt)
      // Node leaves both open when the other side refuses our certificate after the handshake.
      http2.destroy()
      socket.destroy()
    }
    const greeting = setTimeout(() => end(new Error(`no HTTP/2 greeting within ${GREETING_MS} ms`)), GREETING_MS)
    if (socket instanceof TLSSocket) {
      socket.once('secureConnect', () => {
        attempt.hasShownCertificate = Object.keys(socket.getCertificate() ?? {}).length > 0
        if (socket.alpnProtocol !== 'h2') end(new Error('the other side uses TLS, but does not offer HTTP/2'))
      })
    }
    http2.once('connect', () => {
      // The connection may have been closed in the same turn of the event loop in which it connected.
      if (!http2.destroyed) http2.setLocalWindowSize(WINDOW_BYTES)
    })
    http2.once('remoteSettings', () => {
      clearTimeout(greeting)
      this.#greeted(attempt)
    })
    // A server that shuts down finishes its open calls; new calls need a new connection.
    http2.once('goaway', () => this.#lose(attempt))
    // Registered first: the session only reports that its socket ended, while the socket knows the reason.
    socket.prependListener('error', end)
    http2.on('error', (error) => {
      attempt.error ??= error
    })
    http2.once('close', () => end())
  }

  #greeted(attempt: Attempt): void {
    if (this.#current !== attempt) return
    attempt.readyAt = performance.now()
    this.#problem = undefined
    this.#enter('ready')
  }

  /** Reconnects at once after a loss; with a pause after a failed attempt or if connections are lost as soon as they are made. */
  #lose(attempt: Attempt): void {
    if (this.#current !== attempt || this.#state === 'closed') return
    this.#current = undefined
    if (attempt.readyAt === undefined) {
      this.#problem = problemOf(attempt)
      this.#enter('failed')
      this.#startLater()
      return
    }
    this.#enter('connecting')
    if (performance.now() - attempt.readyAt < RECONNECT.longestMs) {
      this.#startLater()
      return
    }
    this.#failures = 0
    this.#start()
  }

  #startLater(): void {
    this.#failures += 1
    const delayMs = backOffMs(this.#failures, RECONNECT)
    this.#retry = setTimeout(() => {
      this.#enter('connecting')
      this.#start()
    }, delayMs)
  }
}

function problemOf({ error, socket, hasShownCertificate }: Attempt): ConnectionProblem {
  const code = error !== undefined && 'code' in error ? String(error.code) : ''
  // OpenSSL's messages name places in its source; only `reason` is readable.
  const reason = error !== undefined && 'reason' in error ? String(error.reason) : ''
  const text = reason || error?.message || code || 'the other side ended the connection before an HTTP/2 greeting'
  if (hasShownCertificate && (error === undefined || code === 'ECONNRESET')) {
    return { text: 'the other side hung up after it received the certificate of this node', isFinal: true }
  }
  if (!(socket instanceof TLSSocket)) return { text, isFinal: false }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return { text: 'the other side does not use TLS', isFinal: true }
  return { text, isFinal: socket.authorizationError != null || /^ERR_(SSL|TLS)_/.test(code) }
}
