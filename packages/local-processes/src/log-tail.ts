import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { whenMissing } from './system-error-code.ts'

const chunkBytes = 64 * 1024

/** The services with a log file in a directory, sorted by name. Links and older, rotated files are not among them. */
export async function loggedServices(directory: string): Promise<readonly string[]> {
  const files = await readdir(directory, { withFileTypes: true }).catch(whenMissing([]))
  return files
    .filter((file) => file.isFile())
    .map(({ name }) => /^([a-z][a-z-]*)\.log$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .sort()
}

/**
 * The last complete lines of a file, oldest first: at most `count` of them, within its last `maxBytes` bytes. It is read from its end
 * in chunks. undefined if there is no such file, or if it is a link, a pipe or a device.
 */
export async function readTailLines(
  path: string,
  { count = Number.POSITIVE_INFINITY, maxBytes }: { readonly count?: number; readonly maxBytes: number },
): Promise<readonly string[] | undefined> {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch(whenMissing(undefined, ['ENOENT', 'ELOOP']))
  if (file === undefined) return undefined
  try {
    const stats = await file.stat()
    if (!stats.isFile()) return undefined
    const { size } = stats
    const firstByte = Math.max(0, size - maxBytes)
    const chunks: Buffer[] = []
    let newlines = 0
    let start = size
    while (start > firstByte && newlines <= count) {
      const length = Math.min(chunkBytes, start - firstByte)
      start -= length
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start)
      const chunk = buffer.subarray(0, bytesRead)
      newlines += chunk.toString('latin1').split('\n').length - 1
      chunks.unshift(chunk)
    }
    const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1)
    // Reading may have begun in the middle of a line.
    return (start > 0 ? lines.slice(1) : lines).slice(-count)
  } finally {
    await file.close()
  }
}
