import { lstatSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'

/** What the system's address structure holds, in bytes. */
const MAX_PATH_BYTES = 107

/**
 * Makes the path of a `unix:PATH` address free: a runner that was killed leaves its socket behind, and nobody else could
 * listen there. Other addresses are left alone. Throws when the path cannot be used, and when somebody listens there.
 */
export async function freeUnixSocket(address: string): Promise<void> {
  if (!address.startsWith('unix:')) return
  const path = address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  const size = Buffer.byteLength(path)
  if (size > MAX_PATH_BYTES) {
    throw new Error(`cannot listen on ${address}: its path has ${size} bytes, a socket's at most ${MAX_PATH_BYTES}`)
  }
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`cannot listen on ${address}: there is a file of that name; remove it`)
  if (await isServed(path)) throw new Error(`cannot listen on ${address}: another process does; choose another path`)
  rmSync(path, { force: true })
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}
