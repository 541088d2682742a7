import { type FileHandle, open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'

const LOG_LIMIT_BYTES = 10 * 1024 * 1024
const TAIL_BYTES = 4_096

/** The path of the server's log in `directory`. */
export function serverLogPath(directory: string): string {
  return join(directory, 'server.log')
}

/** Opens the log for appending. A log above 10 MB is first renamed to `server.log.1`, replacing an older one. */
export async function openServerLog(directory: string): Promise<FileHandle> {
  const path = serverLogPath(directory)
  if ((await sizeBytes(path)) > LOG_LIMIT_BYTES) await rename(path, `${path}.1`)
  return open(path, 'a', 0o600)
}

/** The log after `fromByte`, at most the last 4 kB. */
export async function readServerLogTail(directory: string, fromByte = 0): Promise<string> {
  const path = serverLogPath(directory)
  const size = await sizeBytes(path)
  const start = Math.max(fromByte, size - TAIL_BYTES)
  if (size <= start) return ''
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
    return buffer.toString('utf8', 0, bytesRead).trim()
  } finally {
    await file.close()
  }
}

async function sizeBytes(path: string): Promise<number> {
  return stat(path).then(({ size }) => size, whenMissing(0))
}
