import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { BrokenConnection } from './broken-connection.ts'

/** Addresses of a server: hosts with ports, or a socket file. */
export interface SocketTarget {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path: string | false
}

/** Sockets that can all be cut at once; postgres.js itself would ask the server to close them and wait. */
export interface CuttableSockets {
  open(target: SocketTarget): Promise<Socket>
  cut(): void
  /** Starts to watch the sockets. The returned function tells whether each was already open and has received data since. */
  watch(): () => boolean
}

/** Time limit for a server to accept a connection. */
const connectLimitMs = 10_000

/**
 * The sockets of one postgres.js client, at most as many as it has connections. After a lost connection the client would open
 * another one (endlessly, if each is lost before the login) and could send the rest of the old one's statements over it.
 * `onUseless` is called when the last socket is gone, because calls that wait for a connection would wait forever.
 */
export function createCuttableSockets(maxConnections: number, onUseless: () => void): CuttableSockets {
  const sockets = new Set<Socket>()
  let openedCount = 0
  let isCut = false

  async function openOne(target: NetConnectOpts): Promise<Socket> {
    if (isCut) throw new BrokenConnection('the connection was given up')
    const socket = connect(target)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const late = () => socket.destroy(new BrokenConnection(`no connection within ${connectLimitMs / 1_000} s`))
    const timer = setTimeout(late, connectLimitMs)
    try {
      await once(socket, 'connect')
    } finally {
      clearTimeout(timer)
    }
    return socket
  }

  return {
    async open({ host, port, path }) {
      openedCount += 1
      if (openedCount > maxConnections) {
        if (sockets.size === 0) onUseless()
        throw new BrokenConnection('the server closed the connection')
      }
      if (path !== false) return openOne({ path })
      let failure: unknown
      for (const [index, name] of host.entries()) {
        try {
          // TLS compares the certificate with this name, and errors name host and port.
          const address = { host: name, port: port[index] ?? 5432 }
          return Object.assign(await openOne(address), address)
        } catch (error) {
          failure = error
        }
      }
      throw failure
    },
    cut() {
      isCut = true
      for (const socket of sockets) {
        // Under TLS the raw socket has no error listener any more: an error would end the process.
        if (socket.connecting) socket.destroy(new BrokenConnection('the connection was given up'))
        else socket.destroy()
      }
    },
    watch() {
      const before = new Map([...sockets].map((socket) => [socket, socket.bytesRead]))
      return () => [...sockets].every((socket) => socket.bytesRead > (before.get(socket) ?? Number.POSITIVE_INFINITY))
    },
  }
}
