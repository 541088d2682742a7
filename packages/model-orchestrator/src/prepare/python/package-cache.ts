import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Enough for the packages of several hundred submissions. */
const MAX_BYTES = 8 * 1024 * 1024 * 1024

/** Packages by the SHA-256 of their content, so no installation can replace another one's package. */
export interface PackageCache {
  /** Null if the package is not cached. */
  read(sha256: string): Promise<{ readonly bytes: number; readonly stream: Readable } | null>
  /** Stores the content. Rejects if it has another hash. */
  write(sha256: string, content: Readable): Promise<void>
}

export function createPackageCache(directory: string, maxBytes = MAX_BYTES): PackageCache {
  return {
    async read(sha256) {
      const path = join(directory, sha256)
      try {
        const { size } = await stat(path)
        const now = new Date()
        await utimes(path, now, now)
        return { bytes: size, stream: createReadStream(path) }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw error
      }
    },
    async write(sha256, content) {
      await mkdir(directory, { recursive: true })
      const draft = join(directory, `.${randomUUID()}`)
      const hash = createHash('sha256')
      try {
        await pipeline(
          content,
          async function* (source: AsyncIterable<Buffer>) {
            let bytes = 0
            for await (const chunk of source) {
              bytes += chunk.length
              if (bytes > maxBytes) throw new Error(`a package is larger than the whole cache, ${maxBytes} bytes`)
              hash.update(chunk)
              yield chunk
            }
          },
          createWriteStream(draft, { flags: 'wx' }),
        )
        const found = hash.digest('hex')
        if (found !== sha256) throw new Error(`its SHA-256 is ${found}, but the index says ${sha256}`)
        await rename(draft, join(directory, sha256))
      } finally {
        await rm(draft, { force: true })
      }
      await removeOldest(directory, maxBytes)
    },
  }
}

async function removeOldest(directory: string, maxBytes: number): Promise<void> {
  const names = (await readdir(directory)).filter((name) => /^[0-9a-f]{64}$/.test(name))
  const files = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(directory, name)).catch(() => null)
      return { name, bytes: found?.size ?? 0, usedMs: found?.mtimeMs ?? 0 }
    }),
  )
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  for (const file of files.sort((a, b) => a.usedMs - b.usedMs)) {
    if (bytes <= maxBytes) return
    await rm(join(directory, file.name), { force: true })
    bytes -= file.bytes
  }
}
