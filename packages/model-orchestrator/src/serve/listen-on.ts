import type { Server } from 'node:http'
import { OrchestratorError } from '../errors.ts'

/**
 * Listens and returns the port; 0 chooses a free one. Throws `ADDRESS_UNAVAILABLE`, which names the port and the
 * `setting` that changes it.
 */
export function listenOn(server: Server, host: string, port: number, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === 'EADDRINUSE'
          ? `port ${port} of ${host} is in use; stop the program that listens there or choose another port (${setting})`
          : `cannot listen on ${host}:${port}: ${error.message}; choose another address or port (${setting})`
      reject(new OrchestratorError('ADDRESS_UNAVAILABLE', problem, { cause: error }))
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** Whether only programs on this machine can reach a server at this address. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}
