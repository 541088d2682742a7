import { createServer } from 'node:net'
import { RunFailure } from '../run-failure.ts'

const MAX_TRIES = 50

/** Reserves free ports of one address. */
export interface FreePorts {
  /** Reserves a port on which no program listens. Throws `RUN_FAILED` if there is none. */
  take(): Promise<number>
  giveBack(port: number): void
}

/**
 * A port stays free until the runner listens, so two starting runs could find the same one, and a coordinator would call
 * the wrong model. Ports are therefore reserved until their run has ended.
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
      throw new RunFailure('RUN_FAILED', `no free port on ${host}; stop some models or other programs that listen`)
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
