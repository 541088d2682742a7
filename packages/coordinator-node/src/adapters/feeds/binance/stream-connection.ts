import type { IncomingMessage } from 'node:http'
import { type RawData, WebSocket } from 'ws'
import { CrunchError } from '../../../domain/errors.ts'
import type { JsonObject } from '../../../domain/json/json.ts'
import { FeedInterrupted } from '../../../ports/feed-source.ts'
import { excerpt } from '../http/read-answer.ts'
import type { ResolvedBinanceOptions } from './binance-options.ts'
import { explainHandshake } from './explain-handshake.ts'
import { parseFrame } from './stream-frame.ts'

export interface StreamConnectionHandlers {
  /** The connection is open, and every subscription was accepted. */
  onOpen(): void
  /** Called with a message of one stream. Any exception ends the connection; a `TypeError` means a malformed message. */
  onMessage(stream: string, data: JsonObject): void
  /** Called once at the end of the connection, with the error unless the end was orderly. Not called after `close`. */
  onEnd(error?: Error): void
}

export interface StreamConnection {
  /** Closes the connection now; no callback follows. */
  close(): void
}

/** Number of streams named in the URL of a connection; further ones are subscribed to by messages. */
const namesInAddress = 100
const namesInRequest = 200
/** Pause between messages: Binance closes connections that send more than five messages per second, pongs included. */
const requestEveryMs = 300
const maxMessageBytes = 1024 * 1024
/** Close codes of an orderly end. */
const orderlyCodes: readonly number[] = [1000, 1001, 1005, 1012]

/** One connection that carries many streams. It does not reconnect. */
export function openStreamConnection(
  options: ResolvedBinanceOptions,
  names: readonly string[],
  handlers: StreamConnectionHandlers,
): StreamConnection {
  return new Connection(options, names, handlers)
}

class Connection implements StreamConnection {
  readonly #options: ResolvedBinanceOptions
  readonly #handlers: StreamConnectionHandlers
  readonly #place: string
  readonly #socket: WebSocket
  #unsubscribed: readonly string[]
  #requestId = 0
  #requestTimer: NodeJS.Timeout | undefined
  #lifeTimer: NodeJS.Timeout | undefined
  #isQuiet = false
  #isOver = false

  constructor(options: ResolvedBinanceOptions, names: readonly string[], handlers: StreamConnectionHandlers) {
    this.#options = options
    this.#handlers = handlers
    this.#place = `${options.streamUrl}/stream`
    const isShort = names.length <= namesInAddress
    this.#unsubscribed = isShort ? [] : names
    this.#socket = new WebSocket(isShort ? `${this.#place}?streams=${names.join('/')}` : this.#place, {
      handshakeTimeout: options.timeoutMs,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
    })
    this.#listen()
  }

  close(): void {
    this.#isOver = true
    clearTimeout(this.#requestTimer)
    clearInterval(this.#lifeTimer)
    this.#socket.terminate()
  }

  #listen(): void {
    const socket = this.#socket
    const hear = () => {
      this.#isQuiet = false
    }
    socket.on('open', () => {
      if (this.#isOver) return
      this.#lifeTimer = setInterval(() => this.#checkLife(), this.#options.silenceMs / 2)
      this.#subscribe()
    })
    socket.on('ping', hear)
    socket.on('pong', hear)
    socket.on('message', (data, isBinary) => {
      hear()
      if (!this.#isOver) this.#receive(data, isBinary)
    })
    socket.on('unexpected-response', (_, response) => this.#beRefused(response))
    socket.on('error', (error) => this.#break(error.message, error))
    socket.on('close', (code, reason) => {
      if (orderlyCodes.includes(code)) this.#end()
      else this.#break(`closed with ${code}${reason.length > 0 ? `, ${excerpt(String(reason))}` : ''}`)
    })
  }

  /** Not every site of Binance pings often, so only an unanswered ping of this client proves silence. */
  #checkLife(): void {
    if (this.#isQuiet) {
      // After a stall, the process first reads what has arrived meanwhile.
      setImmediate(() => {
        if (this.#isQuiet) this.#break(`silent for ${this.#options.silenceMs / 1_000} s, a ping was not answered`)
      })
      return
    }
    this.#isQuiet = true
    this.#socket.ping()
  }

  #subscribe(): void {
    const params = this.#unsubscribed.slice(0, namesInRequest)
    this.#unsubscribed = this.#unsubscribed.slice(namesInRequest)
    if (params.length === 0) {
      this.#handlers.onOpen()
      return
    }
    this.#requestId += 1
    this.#socket.send(JSON.stringify({ method: 'SUBSCRIBE', params, id: this.#requestId }))
    const { timeoutMs } = this.#options
    const giveUp = () => this.#break(`subscriptions were not answered within ${timeoutMs / 1_000} s`)
    this.#requestTimer = setTimeout(giveUp, timeoutMs)
  }

  #receive(data: RawData, isBinary: boolean): void {
    const text = isBinary ? '' : String(data)
    try {
      if (isBinary) throw new TypeError('it is binary')
      this.#handle(text)
    } catch (error) {
      const isMalformed = error instanceof TypeError || error instanceof SyntaxError
      if (isMalformed) this.#break(`sent ${excerpt(text)}, which is not a message of Binance: ${error.message}`, error)
      else this.#end(error as Error)
    }
  }

  #handle(text: string): void {
    const frame = parseFrame(text)
    if (frame.type === 'data') this.#handlers.onMessage(frame.stream, frame.data)
    else if (frame.type === 'shutdown') this.#end()
    else if (frame.type === 'refused') this.#refuse(text, frame.isFinal)
    else if (frame.id === this.#requestId) {
      clearTimeout(this.#requestTimer)
      this.#requestTimer = setTimeout(() => this.#subscribe(), this.#unsubscribed.length > 0 ? requestEveryMs : 0)
    }
  }

  #refuse(text: string, isFinal: boolean): void {
    const said = `refused with ${excerpt(text)}`
    if (!isFinal) this.#break(said)
    else this.#end(new CrunchError('FEED_UNAVAILABLE', `${this.#place} ${said}: it has no such streams`))
  }

  #beRefused(response: IncomingMessage): void {
    const { site, timeoutMs, now } = this.#options
    explainHandshake(response, this.#place, { site, timeoutMs, now }).then(
      (error) => this.#end(error),
      (error: Error) => this.#break(error.message, error),
    )
  }

  #break(problem: string, cause?: unknown): void {
    const message = `the stream of Binance at ${this.#place} broke: ${problem}; reconnecting`
    this.#end(new FeedInterrupted(message, { cause }))
  }

  #end(error?: Error): void {
    if (this.#isOver) return
    this.close()
    this.#handlers.onEnd(error)
  }
}
