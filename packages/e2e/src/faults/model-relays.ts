import { existsSync, renameSync } from 'node:fs'
import { type SocketProxy, startSocketProxy } from '../../../coordinator-node/test/socket-proxy.ts'

/** Relays in front of the sockets that confined models listen on. */
export interface ModelRelays {
  /** Puts a relay before each model that is named in what the orchestrator sends, before its reader can connect to it. */
  place(sent: Buffer): void
  /** A relay of a model that is connected; `undefined` when there is none. */
  pick(random: () => number): Promise<SocketProxy | undefined>
  close(): Promise<void>
}

/** As announced, without the port that belongs to the file's name. */
const announcedSocket = /unix:(\/[^"\\]+\/sock)(?=")/g
/** More than the longest path of a socket, which may arrive in two parts. */
const pathLength = 128

export function createModelRelays(): ModelRelays {
  /** By the path that a model listened on. Each run of a model has a folder of its own. */
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
        // It listens before this returns, as binding a path is immediate.
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

/** Where the model listens behind its relay: a socket stays what it is under another name. */
const modelPath = (path: string) => `${path}.model`
