import { createServer } from 'node:net'
import { errorText } from '@crunch/local-processes/errors'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** The requested port; otherwise the port of the last start if it is free; otherwise any free port, which is logged. */
export async function choosePort(
  asked: number | undefined,
  kept: number | undefined,
  log: (line: string) => void,
): Promise<number> {
  if (asked !== undefined) return requirePort(asked)
  if (kept === undefined) return bindOnce(0)
  try {
    return await bindOnce(kept)
  } catch (error) {
    if (!(error instanceof EmbeddedPostgresError && error.code === 'PORT_TAKEN')) throw error
    const free = await bindOnce(0)
    log(`Port ${kept} of the last start is in use by another program: the database now listens on port ${free}`)
    return free
  }
}

/** The error for a port that the server cannot use; `cause` is the error of the system or of the server. */
export function portTaken(port: number, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'PORT_TAKEN',
    `The embedded PostgreSQL cannot listen on 127.0.0.1 port ${port}: another program uses that port, or this user may ` +
      `not. Stop that program, or choose another port for the database. (${errorText(cause)})`,
    { cause },
  )
}

async function requirePort(port: number): Promise<number> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new EmbeddedPostgresError(
      'PORT_INVALID',
      `The port of the embedded PostgreSQL must be a whole number from 1 to 65535, not ${port}. Leave it out for a free port.`,
    )
  }
  return bindOnce(port)
}

/** Listens briefly to check that a port is free, or with 0 to find a free one. */
function bindOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(portTaken(port, error)))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const bound = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(bound))
    })
  })
}
