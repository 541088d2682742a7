import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Instant } from '../../../../domain/time.ts'
import { createFakeConnection, type FakeConnection } from './fake-connection.ts'
import {
  candleMessage,
  candleRow,
  candleStream,
  createFakeMarket,
  type FakeCandle,
  type FakeMarket,
  type FakeTrade,
  tradeMessage,
  tradeStream,
} from './fake-market.ts'

export interface FakeAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Cuts the connection after this many bytes of the body. */
  readonly cutAfter?: number
  /** The body never ends; a handshake gets no answer at all. */
  readonly stalls?: boolean
}

export interface FakeRequest {
  readonly path: string
  readonly query: URLSearchParams
}

export interface FakeBinanceOptions {
  /** Traded symbols; default BTCUSDT and ETHUSDT. */
  readonly symbols?: readonly string[]
  /** The server's clock, sent in its `Date` header; default the machine's. */
  readonly now?: () => Instant
  /** Whether pings are answered; default true. */
  readonly answersPings?: boolean
  /** Whether subscriptions are answered; default true. */
  readonly answersSubscriptions?: boolean
  /** While true, every request and handshake is answered with 503. */
  readonly isAway?: () => boolean
  /** Called when a connection is open. */
  readonly onConnect?: (connection: FakeConnection) => void
}

/** A local exchange that stores published data and streams it to all connections. */
export interface FakeBinance {
  readonly restUrl: string
  readonly streamUrl: string
  /** The data that requests read. Data added here directly is not streamed. */
  readonly market: FakeMarket
  /** All requests, in order. */
  readonly requests: readonly FakeRequest[]
  /** All connections so far, in order. */
  readonly connections: readonly FakeConnection[]
  /** Number of open HTTP and WebSocket sockets. */
  readonly openSockets: number
  /** Next value of `X-MBX-USED-WEIGHT-1M`; grows with each request. */
  usedWeight: number
  /** Resolves when this many connections have been made and subscribed since the start. */
  connected(count: number): Promise<FakeConnection>
  /** Stores and streams a candle; one that is not closed is the current candle. */
  publishCandle(candle: FakeCandle, isClosed?: boolean): void
  publishTrade(trade: FakeTrade): void
  /** The next requests, or only those of `path` if given, get this answer. */
  failRequests(answer: FakeAnswer, times?: number, path?: string): void
  /** The next handshakes get this answer. */
  failHandshakes(answer: FakeAnswer, times?: number): void
  close(): Promise<void>
}

const unavailable: FakeAnswer = { status: 503, headers: { 'content-type': 'text/plain' }, body: 'away' }

const weightOf: Readonly<Record<string, number>> = { klines: 2, aggTrades: 4, exchangeInfo: 20 }

export async function startFakeBinance(options: FakeBinanceOptions = {}): Promise<FakeBinance> {
  const market = createFakeMarket()
  const requests: FakeRequest[] = []
  const connections: FakeConnection[] = []
  const waiting = new Set<() => void>()
  const failures: { answer: FakeAnswer; path: string | undefined }[] = []
  const refusals: FakeAnswer[] = []
  const sockets = new Set<Socket>()
  const state = { usedWeight: 0 }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    requests.push({ path: pathname, query: searchParams })
    state.usedWeight += weightOf[pathname.split('/').at(-1) ?? ''] ?? 1
    response.setHeader('date', new Date(options.now?.() ?? Date.now()).toUTCString())
    response.setHeader('x-mbx-used-weight-1m', state.usedWeight)
    const index = failures.findIndex(({ path }) => path === undefined || path === pathname)
    const [failure] = index < 0 ? [] : failures.splice(index, 1)
    const answer = failure?.answer ?? answerRequest(market, options, pathname, searchParams)
    send(response, options.isAway?.() ? unavailable : answer)
  })
  const streams = new WebSocketServer({ noServer: true, autoPong: options.answersPings ?? true })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = options.isAway?.() ? unavailable : refusals.shift()
    if (refusal !== undefined) {
      refuse(socket, refusal)
      return
    }
    streams.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = createFakeConnection(webSocket, socket, request.url ?? '', {
        answersSubscriptions: options.answersSubscriptions ?? true,
        onSubscribed() {
          for (const check of waiting) check()
        },
      })
      connections.push(connection)
      options.onConnect?.(connection)
      for (const check of waiting) check()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const publish = (stream: string, message: object) => {
    for (const connection of connections) connection.offer(stream, message)
  }
  return {
    restUrl: `http://127.0.0.1:${port}`,
    streamUrl: `ws://127.0.0.1:${port}`,
    market,
    requests,
    connections,
    get openSockets() {
      return sockets.size
    },
    get usedWeight() {
      return state.usedWeight
    },
    set usedWeight(weight) {
      state.usedWeight = weight
    },
    connected: (count) =>
      new Promise((resolve) => {
        const check = () => {
          const connection = connections[count - 1]
          if (connection === undefined || connection.streams.length === 0) return
          waiting.delete(check)
          resolve(connection)
        }
        waiting.add(check)
        check()
      }),
    publishCandle(candle, isClosed = true) {
      market.putCandle(candle.symbol, candle.interval, candleRow(candle))
      publish(candleStream(candle), candleMessage(candle, isClosed))
    },
    publishTrade(trade) {
      const row = market.addTrade(trade)
      publish(tradeStream(trade.symbol), tradeMessage(trade.symbol, row))
    },
    failRequests(answer, times = 1, path) {
      failures.push(...Array.from({ length: times }, () => ({ answer, path })))
    },
    failHandshakes(answer, times = 1) {
      refusals.push(...Array.from({ length: times }, () => answer))
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function answerRequest(
  market: FakeMarket,
  options: FakeBinanceOptions,
  path: string,
  query: URLSearchParams,
): FakeAnswer {
  const symbols = options.symbols ?? ['BTCUSDT', 'ETHUSDT']
  switch (path) {
    case '/api/v3/exchangeInfo':
      return json({
        rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6000 }],
        symbols: symbols.map((symbol) => ({ symbol, status: 'TRADING' })),
      })
    case '/api/v3/klines':
    case '/api/v3/aggTrades':
      if (!symbols.includes(query.get('symbol') ?? '')) return json({ code: -1121, msg: 'Invalid symbol.' }, 400)
      return json(path.endsWith('klines') ? market.candles(query) : market.trades(query))
    default:
      return { status: 404, headers: { 'content-type': 'text/html' }, body: '<html><h1>404 Not Found</h1></html>' }
  }
}

function json(body: unknown, status = 200): FakeAnswer {
  return { status, headers: { 'content-type': 'application/json;charset=UTF-8' }, body: JSON.stringify(body) }
}

function send(response: ServerResponse, answer: FakeAnswer): void {
  const { status, headers = {}, body = '', cutAfter, stalls = false } = answer
  const bytes = Buffer.from(body)
  response.writeHead(status, { ...headers, 'content-length': bytes.byteLength })
  if (cutAfter !== undefined) response.write(bytes.subarray(0, cutAfter), () => response.socket?.destroy())
  else if (stalls) response.write(bytes.subarray(0, bytes.byteLength - 1))
  else response.end(bytes)
}

function refuse(socket: Duplex, { status, headers = {}, body = '', stalls = false }: FakeAnswer): void {
  socket.on('error', () => socket.destroy())
  if (stalls) {
    socket.resume().on('end', () => socket.destroy())
    return
  }
  const all = { 'content-length': String(Buffer.byteLength(body)), connection: 'close', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} Refused`, ...lines, '', body].join('\r\n'))
}
