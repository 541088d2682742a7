import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { BrokenConnection } from './broken-connection.ts'

/** Where a server listens: hosts with their ports, or the file of a socket. */
export interface SocketTarget {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path: string | false
}

/** Sockets that can all be cut at once: postgres.js itself only asks the other side to end them, and waits. */
export interface CuttableSockets {
  open(target: SocketTarget): Promise<Socket>
  cut(): void
  /** Starts to watch the sockets. The result tells whether each one was open already and has received something since. */
  watch(): () => boolean
}

/** How long a server may take to accept a connection. */
const connectLimitMs = 10_000

/**
 * The sockets of one client of postgres.js, at most as many as it has connections. It opens one again where a connection was
 * lost, without an end where it is lost before the login; and what it sends over the new one may be what was left of the old.
 * `onUseless` is called when the last one is gone, and what still waits for one would wait for ever.
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
          // TLS compares the certificate with the name that it finds here, and errors name both.
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
        // A socket that TLS has taken over has no listener any more: its errors would end the process.
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
