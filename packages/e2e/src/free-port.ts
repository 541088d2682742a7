import { createServer } from 'node:net'

/** The preferred port if it is free on this machine, else any free one. */
export async function freePort(preferred = 0): Promise<number> {
  const port = await listen(preferred)
  return port ?? freePort(0)
}

function listen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null))
    })
  })
}
