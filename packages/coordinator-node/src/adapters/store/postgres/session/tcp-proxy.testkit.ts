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
  /** As {@link freeze}, for the connections of now alone: new ones work. */
  strand(): void
  /** The rows of the server reach the clients of now without their columns. */
  garbleRows(): void
  /** Ends the sockets of the clients. Those to the server stay open: it is told nothing. */
  loseClients(): void
  close(): Promise<void>
}

export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl)
  const clients = new Set<Socket>()
  const upstreams = new Set<Socket>()
  const garbled = new Set<Socket>()
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
    upstream.on('data', (data) => client.write(garbled.has(client) ? withoutColumns(data) : data))
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
    strand() {
      for (const socket of [...clients, ...upstreams]) socket.pause()
    },
    garbleRows() {
      for (const client of clients) garbled.add(client)
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

const dataRow = 'D'.charCodeAt(0)

/** Of messages that begin where the data does. */
function withoutColumns(data: Buffer): Buffer {
  const messages: Buffer[] = []
  for (let at = 0; at < data.length; ) {
    const end = at + 1 + data.readUInt32BE(at + 1)
    messages.push(data[at] === dataRow ? Buffer.from([dataRow, 0, 0, 0, 6, 0, 1]) : data.subarray(at, end))
    at = end
  }
  return Buffer.concat(messages)
}
