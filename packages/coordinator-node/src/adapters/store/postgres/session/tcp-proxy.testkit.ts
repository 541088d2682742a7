import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a client and PostgreSQL, and breaks the way between them as networks do. */
export interface TcpProxy {
  /** The URL of the database, through this proxy. */
  readonly url: string
  /** How many clients are connected. */
  clientCount(): number
  /** How many ever connected. */
  readonly connectionCount: number
  /** Forwards nothing any more, in either direction, of old connections and new ones; they stay open. */
  freeze(): void
  thaw(): void
  /** Ends the sockets of the clients. Those to the server stay open: it is told nothing. */
  loseClients(): void
  close(): Promise<void>
}

export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl)
  const clients = new Set<Socket>()
  const upstreams = new Set<Socket>()
  let isFrozen = false
  let connectionCount = 0
  const server = createServer((client) => {
    connectionCount += 1
    const upstream = connect(Number(target.port), target.hostname)
    for (const [sockets, socket] of [
      [clients, client],
      [upstreams, upstream],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => sockets.delete(socket))
      if (isFrozen) socket.pause()
    }
    client.on('data', (data) => upstream.write(data))
    upstream.on('data', (data) => client.write(data))
    if (isFrozen) for (const socket of [client, upstream]) socket.pause()
    upstream.once('close', () => client.destroy())
    client.once('end', () => {
      if (!isFrozen) upstream.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(databaseUrl)
  url.port = `${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    clientCount: () => clients.size,
    get connectionCount() {
      return connectionCount
    },
    freeze() {
      isFrozen = true
      for (const socket of [...clients, ...upstreams]) socket.pause()
    },
    thaw() {
      isFrozen = false
      for (const socket of [...clients, ...upstreams]) socket.resume()
    },
    loseClients() {
      for (const client of clients) {
        client.removeAllListeners('end')
        client.destroy()
      }
    },
    async close() {
      for (const socket of [...clients, ...upstreams]) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
