import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'

/** One connection to the fake exchange. */
export interface FakeConnection {
  /** The subscribed streams. */
  readonly streams: readonly string[]
  readonly isOpen: boolean
  /** Number of messages received. */
  readonly sentCount: number
  /** Number of pings received. */
  readonly pingCount: number
  /** Sends a text unchanged. */
  send(frame: string | Buffer): void
  /** Sends a message of a stream in Binance's envelope. */
  sendData(stream: string, message: object): void
  /** The same, if the stream is subscribed. */
  offer(stream: string, message: object): void
  ping(): void
  /** Closes the connection with a close frame. */
  finish(code?: number, reason?: string): void
  /** Cuts the connection without a close frame, after everything sent has left. */
  cut(): Promise<void>
  /** The same after this many bytes of a text message. */
  cutWithin(text: string, byteCount: number): void
}

export interface FakeConnectionOptions {
  readonly answersSubscriptions: boolean
  onSubscribed(): void
}

export function createFakeConnection(
  socket: WebSocket,
  wire: Duplex,
  address: string,
  options: FakeConnectionOptions,
): FakeConnection {
  const asked = new URL(address, 'ws://localhost').searchParams.get('streams') ?? ''
  const streams = asked.split('/').filter((name) => name !== '')
  let sentCount = 0
  let pingCount = 0
  let lastSent: Promise<void> = Promise.resolve()
  const send = (frame: string | Buffer) => {
    if (socket.readyState !== socket.OPEN) return
    sentCount += 1
    lastSent = new Promise((resolve) => socket.send(frame, { binary: typeof frame !== 'string' }, () => resolve()))
  }
  socket.on('ping', () => {
    pingCount += 1
  })
  socket.on('message', (data: RawData) => {
    const { params, id } = JSON.parse(String(data)) as { params: readonly string[]; id: number }
    if (!options.answersSubscriptions) return
    streams.push(...params)
    socket.send(JSON.stringify({ result: null, id }))
    options.onSubscribed()
  })
  const sendData = (stream: string, data: object) => send(JSON.stringify({ stream, data }))
  return {
    streams,
    get isOpen() {
      return socket.readyState === socket.OPEN
    },
    get sentCount() {
      return sentCount
    },
    get pingCount() {
      return pingCount
    },
    send,
    sendData,
    offer(stream, message) {
      if (streams.includes(stream)) sendData(stream, message)
    },
    ping: () => socket.ping(),
    finish: (code = 1000, reason = '') => socket.close(code, reason),
    async cut() {
      await lastSent
      socket.terminate()
    },
    cutWithin: (text, byteCount) => void wire.write(textFrame(text).subarray(0, byteCount), () => wire.destroy()),
  }
}

/** Encodes a short text as a server's WebSocket frame. */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.from(text)
  const { byteLength } = bytes
  const head = byteLength < 126 ? [0x81, byteLength] : [0x81, 126, byteLength >> 8, byteLength & 0xff]
  return Buffer.concat([Buffer.from(head), bytes])
}
