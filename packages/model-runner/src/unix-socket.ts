import { lstatSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'

/** The size of the path in the system's address structure, in bytes. */
const MAX_PATH_BYTES = 107

/**
 * Frees the path of a `unix:PATH` address: a killed runner leaves its socket behind, which would block the path. Does
 * nothing for other addresses. Throws if the path cannot be used or a process listens there.
 */
export async function freeUnixSocket(address: string): Promise<void> {
  if (!address.startsWith('unix:')) return
  const path = address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  const size = Buffer.byteLength(path)
  if (size > MAX_PATH_BYTES) {
    throw new Error(
      `cannot listen on ${address}: its path has ${size} bytes, more than the ${MAX_PATH_BYTES} of a socket's path`,
    )
  }
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`cannot listen on ${address}: there is a file of that name; remove it`)
  if (await isServed(path))
    throw new Error(`cannot listen on ${address}: another process already listens there; choose another path`)
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
