import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { SocketTarget } from '../connect.ts'

/** Sockets that can all be cut at once; a client of postgres.js only asks the other side to end them, and waits. */
export interface CuttableSockets {
  open(target: SocketTarget): Promise<Socket>
  cut(): void
}

export function createCuttableSockets(): CuttableSockets {
  const sockets = new Set<Socket>()
  let isCut = false

  async function openOne(target: NetConnectOpts): Promise<Socket> {
    if (isCut) throw new Error('the connection was given up')
    const socket = connect(target)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    await once(socket, 'connect')
    return socket
  }

  return {
    async open({ host, port, path }) {
      if (path !== false) return openOne({ path })
      let failure: unknown
      for (const [index, name] of host.entries()) {
        try {
          // TLS compares the certificate with the name that it finds here.
          return Object.assign(await openOne({ host: name, port: port[index] ?? 5432 }), { host: name })
        } catch (error) {
          failure = error
        }
      }
      throw failure
    },
    cut() {
      isCut = true
      for (const socket of sockets) {
        // One that TLS has taken over has no listener any more: an error of its own would end the process.
        if (socket.connecting) socket.destroy(new Error('the connection was given up'))
        else socket.destroy()
      }
    },
  }
}
