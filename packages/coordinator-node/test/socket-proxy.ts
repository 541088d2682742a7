import { once } from 'node:events'
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Socket } from 'node:net'

/** A relay between two programs that can fail like a network. */
export interface SocketProxy {
  /** The TCP port; 0 if it listens on a socket file. */
  readonly port: number
  /** Number of connected clients. */
  clientCount(): number
  /** Number of connections so far. */
  connectionCount(): number
  /** Stops forwarding without telling either side: all connections, new ones too, stay open and silent. */
  hold(): void
  /** The same as {@link hold}, but only for the current connections: new ones work. */
  strand(): void
  /** Closes every connection to one side, or both. The other side keeps its socket, silent until {@link release}. */
  cut(side: Side | 'both'): void
  /** Resumes forwarding, including held data, and closes connections that were cut on one side. */
  release(): void
  /** From now on, applies a change to everything that the server sends over the current connections. */
  changeAnswers(change: (data: Buffer) => Buffer): void
  close(): Promise<void>
}

export type Side = 'client' | 'server'

interface Pair extends Readonly<Record<Side, Socket>> {
  isCut: boolean
  isSilent: boolean
  changeAnswer: (data: Buffer) => Buffer
}

/** @param onAnswer receives the data of a server before its client does */
export async function startSocketProxy(
  target: NetConnectOpts,
  listen: ListenOptions,
  onAnswer: (data: Buffer) => void = () => undefined,
): Promise<SocketProxy> {
  const pairs = new Set<Pair>()
  let isHeld = false
  let connectionCount = 0
  const server = createServer({ noDelay: true }, (client) => {
    connectionCount += 1
    const pair: Pair = { client, server: connect(target), isCut: false, isSilent: false, changeAnswer: (data) => data }
    pairs.add(pair)
    relay(pair, () => pairs.delete(pair), onAnswer)
    if (isHeld) silence(pair)
  })
  server.listen(listen)
  await once(server, 'listening')
  const address = server.address()

  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    clientCount: () => [...pairs].filter(({ client }) => !client.destroyed).length,
    connectionCount: () => connectionCount,
    hold() {
      isHeld = true
      for (const pair of pairs) silence(pair)
    },
    strand() {
      for (const pair of pairs) silence(pair)
    },
    cut(side) {
      for (const pair of pairs) {
        pair.isCut = side !== 'both'
        silence(pair)
        for (const one of ['client', 'server'] as const) if (side === one || side === 'both') pair[one].destroy()
      }
    },
    release() {
      isHeld = false
      for (const pair of pairs) {
        if (pair.isCut) end(pair)
        else forward(pair)
      }
    },
    changeAnswers(change) {
      for (const pair of pairs) pair.changeAnswer = change
    },
    async close() {
      for (const pair of pairs) end(pair)
      server.close()
      await once(server, 'close')
    },
  }
}

/** Forwards in both directions. The end of one side ends the other, unless the pair was cut. */
function relay(pair: Pair, onEnd: () => void, onAnswer: (data: Buffer) => void): void {
  for (const [from, to] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const [source, drain] = [pair[from], pair[to]]
    source.on('data', (data: Buffer) => {
      if (from === 'server') onAnswer(data)
      if (drain.write(from === 'server' ? pair.changeAnswer(data) : data)) return
      source.pause()
      drain.once('drain', () => {
        if (!pair.isSilent) source.resume()
      })
    })
    // The error ends the connection, which is handled by its close event.
    source.on('error', () => source.destroy())
    source.on('close', () => {
      if (pair.isCut && !pair[to].destroyed) return
      onEnd()
      drain.destroySoon()
    })
  }
}

function end({ client, server }: Pair): void {
  client.destroy()
  server.destroy()
}

function silence(pair: Pair): void {
  pair.isSilent = true
  pair.client.pause()
  pair.server.pause()
}

function forward(pair: Pair): void {
  pair.isSilent = false
  pair.client.resume()
  pair.server.resume()
}
