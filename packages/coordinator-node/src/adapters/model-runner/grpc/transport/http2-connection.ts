import { type ClientHttp2Session, connect, constants } from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { backOffMs } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'

/** Before the first new attempt to connect; doubles each time. */
const RECONNECT = { firstMs: 100, longestMs: 1_000 }
/** For the other side to accept a connection and greet. */
const GREETING_MS = 10_000
/** How much of its answers the other side may send ahead of us: more than any but a large answer. */
const WINDOW_BYTES = 1024 * 1024

/** A connection that comes back by itself until it is closed. */
export interface Http2Connection {
  /** What calls are made on now; nothing while there is no connection. */
  session(): OpenSession | undefined
  /**
   * With `failFast`, a refused connection is an answer; without it, only the time decides, unless the other side was found
   * to be one that is never connected to. Never rejects.
   */
  whenReady(timeoutMs: number, options: { readonly failFast: boolean }): Promise<boolean>
  /** Why the last attempt to connect came to nothing; nothing after one that did. */
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
  /** Both sides do not fit together by their certificates or modes: another attempt would end the same way. */
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
  /** Its handshake was completed, with a certificate of ours. */
  hasShownCertificate: boolean
}

class ReconnectingConnection implements Http2Connection {
  readonly #openSocket: () => Socket
  readonly #waiting = new Set<() => void>()
  /** Beside the current one, those that are shut down and have calls left. */
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
      // An address that cannot be one: the text is another party's.
      this.#problem = { text: errorText(error), isFinal: true }
      this.#enter('failed')
    }
  }

  #attempt(socket: Socket): void {
    // The host is that of no request: each names its own `:authority`.
    const http2 = connect(socket instanceof TLSSocket ? 'https://localhost' : 'http://localhost', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      // What is received is bounded by the limit of a message; Node's own bound would end the other calls of a session.
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
      // It may have been closed in the very turn in which it connected.
      if (!http2.destroyed) http2.setLocalWindowSize(WINDOW_BYTES)
    })
    http2.once('remoteSettings', () => {
      clearTimeout(greeting)
      this.#greeted(attempt)
    })
    // A server that shuts down lets the calls it has come to their end; new ones need a new connection.
    http2.once('goaway', () => this.#lose(attempt))
    // First, because the session says only that its socket ended, where the socket knows why.
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

  /** After a loss it is tried again at once, after a failure, or where connections are lost as soon as made, later. */
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
  // OpenSSL's own messages are places in its source; the reason is the part for people.
  const reason = error !== undefined && 'reason' in error ? String(error.reason) : ''
  const text = reason || error?.message || code || 'the other side ended the connection before an HTTP/2 greeting'
  if (hasShownCertificate && (error === undefined || code === 'ECONNRESET')) {
    return { text: 'the other side hung up after it received the certificate of this node', isFinal: true }
  }
  if (!(socket instanceof TLSSocket)) return { text, isFinal: false }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return { text: 'the other side does not use TLS', isFinal: true }
  return { text, isFinal: socket.authorizationError != null || /^ERR_(SSL|TLS)_/.test(code) }
}
