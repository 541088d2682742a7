import { type ClientHttp2Session, connect, constants } from 'node:http2'

/** Before the first new attempt to connect; doubles each time. */
const RECONNECT_MS = 100
const MAX_RECONNECT_MS = 1_000
/** For the other side to accept a connection and greet. */
const GREETING_MS = 10_000
/** How much of its answers the other side may send ahead of us: more than any but a large answer. */
const WINDOW_BYTES = 1024 * 1024

/** A connection that comes back by itself until it is closed. */
export interface Http2Connection {
  /** What calls are made on now; nothing while there is no connection. */
  session(): ClientHttp2Session | undefined
  /** With `failFast`, a refused connection is an answer; without it, only the time decides. Never rejects. */
  whenReady(timeoutMs: number, options: { readonly failFast: boolean }): Promise<boolean>
  /** Ends every call. */
  close(): void
}

/** Starts to connect at once. `authority` is host and port. */
export function openHttp2Connection(authority: string): Http2Connection {
  const waiting = new Set<(state: State) => void>()
  let state: State = 'connecting'
  /** Beside the current one, those that are shut down and have calls left. */
  const sessions = new Set<ClientHttp2Session>()
  let current: ClientHttp2Session | undefined
  let delayMs = RECONNECT_MS
  let retry: NodeJS.Timeout | undefined

  function enter(next: State): void {
    state = next
    for (const look of [...waiting]) look(next)
  }

  function start(): void {
    const session = connect(`http://${authority}`, {
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      // What is received is bounded by the limit of a message; Node's own bound would end the other calls of a session.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    })
    current = session
    sessions.add(session)
    const greeting = setTimeout(() => session.destroy(), GREETING_MS)
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES))
    session.once('remoteSettings', () => {
      clearTimeout(greeting)
      delayMs = RECONNECT_MS
      enter('ready')
    })
    // A server that shuts down lets the calls it has come to their end; new ones need a new connection.
    session.once('goaway', () => lose(session))
    // Said again by `close`.
    session.on('error', () => {})
    session.once('close', () => {
      clearTimeout(greeting)
      sessions.delete(session)
      lose(session)
    })
  }

  /** After a loss it is tried again at once, after a failure later. */
  function lose(session: ClientHttp2Session): void {
    if (current !== session || state === 'closed') return
    current = undefined
    if (state === 'ready') {
      enter('connecting')
      start()
      return
    }
    enter('failed')
    retry = setTimeout(() => {
      enter('connecting')
      start()
    }, delayMs)
    delayMs = Math.min(delayMs * 2, MAX_RECONNECT_MS)
  }

  start()
  return {
    session: () => (state === 'ready' ? current : undefined),
    whenReady(timeoutMs, { failFast }) {
      return new Promise((resolve) => {
        const end = (isReady: boolean) => {
          clearTimeout(timer)
          waiting.delete(look)
          resolve(isReady)
        }
        const look = (now: State) => {
          if (now === 'ready') end(true)
          else if (now === 'closed' || (failFast && now === 'failed')) end(false)
        }
        const timer = setTimeout(() => end(false), timeoutMs)
        waiting.add(look)
        look(state)
      })
    },
    close() {
      if (state === 'closed') return
      clearTimeout(retry)
      enter('closed')
      current = undefined
      for (const session of sessions) session.destroy(undefined, constants.NGHTTP2_CANCEL)
    },
  }
}

type State = 'connecting' | 'ready' | 'failed' | 'closed'
