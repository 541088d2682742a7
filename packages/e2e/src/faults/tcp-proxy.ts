import { connect, createServer, type Socket } from 'node:net'

/** A relay between two programs that fails as a network does. */
export interface TcpProxy {
  readonly port: number
  /** Nothing is forwarded any more, and neither side is told: connections stand, new ones too, and stay silent. */
  hold(): void
  /** Closes every connection towards one side. The other side keeps its socket, which stays silent until {@link release}. */
  cut(side: Side): void
  /** Forwards again what was held, and closes what was cut on one side. */
  release(): void
  close(): Promise<void>
}

export type Side = 'client' | 'server'

interface Pair extends Readonly<Record<Side, Socket>> {
  isCut: boolean
  /** Piped twice, every byte would arrive twice. */
  isForwarding: boolean
}

/** Relays to `targetPort` of 127.0.0.1. */
export async function startTcpProxy(targetPort: number, listen: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let isHeld = false

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: targetPort, noDelay: true })
    const pair: Pair = { client, server: upstream, isCut: false, isForwarding: false }
    pairs.add(pair)
    for (const side of ['client', 'server'] as const) {
      // The end of the connection follows, which is all that matters here.
      pair[side].on('error', () => pair[side].destroy())
      pair[side].on('close', () => {
        if (!pair.isCut) end(pair)
      })
    }
    if (!isHeld) forward(pair)
  })
  function end(pair: Pair): void {
    pairs.delete(pair)
    pair.client.destroy()
    pair.server.destroy()
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port')

  return {
    port: address.port,
    hold() {
      isHeld = true
      for (const pair of pairs) silence(pair)
    },
    cut(side) {
      for (const pair of pairs) {
        pair.isCut = true
        silence(pair)
        pair[side].destroy()
      }
    },
    release() {
      isHeld = false
      for (const pair of pairs) {
        if (pair.isCut) end(pair)
        else forward(pair)
      }
    },
    async close() {
      for (const pair of pairs) end(pair)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function forward(pair: Pair): void {
  if (pair.isForwarding) return
  pair.isForwarding = true
  const { client, server } = pair
  client.pipe(server)
  server.pipe(client)
}

function silence(pair: Pair): void {
  pair.isForwarding = false
  const { client, server } = pair
  client.unpipe(server)
  server.unpipe(client)
  client.pause()
  server.pause()
}
