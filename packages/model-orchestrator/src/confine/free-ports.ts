import { createServer } from 'node:net'
import { RunFailure } from '../run-failure.ts'

const MAX_TRIES = 50

/** Hands out free ports of one address. */
export interface FreePorts {
  /** A port on which no program listens and that no other run was given. Throws `RUN_FAILED` when there is none. */
  take(): Promise<number>
  giveBack(port: number): void
}

/**
 * A free port is taken only when the runner listens, so two runs could find the same one, and a coordinator would call
 * the wrong model. Assigned ports therefore stay reserved until the run has ended.
 */
export function createFreePorts(host: string): FreePorts {
  const reserved = new Set<number>()
  return {
    async take() {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const port = await findFreePort(host)
        if (reserved.has(port)) continue
        reserved.add(port)
        return port
      }
      throw new RunFailure('RUN_FAILED', `no free port on ${host}; stop some models or programs that listen`)
    },
    giveBack(port) {
      reserved.delete(port)
    },
  }
}

async function findFreePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      reject(new RunFailure('RUN_FAILED', `no free port on ${host}: ${error.message}`, { cause: error }))
    })
    server.listen(0, host, () => {
      const address = server.address()
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port)
        else reject(new RunFailure('RUN_FAILED', `no free port on ${host}`))
      })
    })
  })
}
