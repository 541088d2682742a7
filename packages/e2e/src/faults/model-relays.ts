import { existsSync, renameSync } from 'node:fs'
import { type SocketProxy, startSocketProxy } from '../../../coordinator-node/test/socket-proxy.ts'

/** Relays in front of the sockets that confined models listen on. */
export interface ModelRelays {
  /** Puts a relay in front of each model named in an orchestrator message, before the receiver can connect to it. */
  place(sent: Buffer): void
  /** A relay with a connected model; `undefined` if there is none. */
  pick(random: () => number): Promise<SocketProxy | undefined>
  close(): Promise<void>
}

/** The path as announced, without the port that completes the file name. */
const announcedSocket = /unix:(\/[^"\\]+\/sock)(?=")/g
/** More than the longest socket path, which may be split over two messages. */
const pathLength = 128

export function createModelRelays(): ModelRelays {
  /** Relays by the original path of the model's socket. Each run of a model has its own folder. */
  const relays = new Map<string, Promise<SocketProxy>>()
  let rest = ''

  async function removeEnded(): Promise<void> {
    for (const [path, relay] of relays) {
      if (existsSync(modelPath(path))) continue
      relays.delete(path)
      await (await relay).close()
    }
  }

  return {
    place(sent) {
      const text = rest + sent.toString('latin1')
      rest = text.slice(-pathLength)
      for (const [, announced] of text.matchAll(announcedSocket)) {
        const path = `${announced}:1`
        if (relays.has(path) || !existsSync(path)) continue
        renameSync(path, modelPath(path))
        // Binding a path is synchronous, so the relay listens before this returns.
        relays.set(path, startSocketProxy({ path: modelPath(path) }, { path }))
      }
    },
    async pick(random) {
      await removeEnded()
      const connected = (await Promise.all(relays.values())).filter((relay) => relay.clientCount() > 0)
      return connected[Math.floor(random() * connected.length)]
    },
    async close() {
      for (const relay of relays.values()) await (await relay).close()
    },
  }
}

/** Path of the model's renamed socket, behind its relay. A socket keeps working under another name. */
const modelPath = (path: string) => `${path}.model`
