import { open, readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { openParquetFile } from '../../adapters/feeds/recording/parquet-file.ts'
import { archiveFolder } from '../../adapters/feeds/recording/series-path.ts'
import type { FeedScope } from '../../domain/feed-record.ts'
import type { DataFile, DataFiles, OpenDataFile } from '../../report/data-files.ts'

const dayFile = /^\d{4}-\d\d-\d\d\.parquet$/

/** The files below a folder, which `crunch backfill --target parquet` fills. The rows of a file are counted once for each version of it. */
export function openDataFiles(directory: string): DataFiles {
  const counts = new Map<string, { readonly version: string; readonly recordCount: number | null }>()

  async function recordCount(path: string, version: string): Promise<number | null> {
    const known = counts.get(path)
    if (known?.version === version) return known.recordCount
    const counted = await openParquetFile(path).then(
      (file) => file.rowCount,
      () => null,
    )
    counts.set(path, { version, recordCount: counted })
    return counted
  }

  return {
    async list() {
      const found: DataFile[] = []
      for (const [source, subject, kind, granularity, name] of await pathsBelow(directory, 5)) {
        if (name === undefined || !dayFile.test(name)) continue
        const parts = [source, subject, kind, granularity].map((part) => decoded(part ?? ''))
        // No backfill writes a folder of such a name.
        if (parts.includes(null)) continue
        const scope = { source: parts[0], subject: parts[1], kind: parts[2], granularity: parts[3] } as FeedScope
        const path = await pathWithin(directory, scope, name)
        if (path === null) continue
        const { size, mtimeMs } = await stat(path)
        found.push({ scope, name, sizeBytes: size, recordCount: await recordCount(path, `${size} ${mtimeMs}`) })
      }
      return found
    },
    async open(scope, name) {
      const path = await pathWithin(directory, scope, name)
      return path === null ? null : openFile(path)
    },
  }
}

const chunkBytes = 65_536

/** Reads as the client takes it: a file may be larger than the memory. A backfill that replaces the file meanwhile changes nothing. */
async function openFile(path: string): Promise<OpenDataFile> {
  const file = await open(path)
  const { size } = await file.stat()
  let position = 0
  const bytes = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const buffer = new Uint8Array(Math.min(chunkBytes, size - position))
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
        position += bytesRead
        if (bytesRead > 0) controller.enqueue(buffer.subarray(0, bytesRead))
        if (position < size && bytesRead > 0) return
        await file.close()
        controller.close()
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  )
  return { sizeBytes: size, bytes }
}

/** `null` for a name that is not escaped as in a URL. */
function decoded(name: string): string | null {
  try {
    return decodeURIComponent(name)
  } catch {
    return null
  }
}

/** The names on the way to each entry `depth` levels below a folder, in order; hidden ones are left out. */
async function pathsBelow(directory: string, depth: number): Promise<readonly (readonly string[])[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const names = entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
  if (depth === 1) return names.map(({ name }) => [name])
  const below: (readonly string[])[] = []
  for (const entry of names.filter((one) => one.isDirectory())) {
    for (const rest of await pathsBelow(join(directory, entry.name), depth - 1)) below.push([entry.name, ...rest])
  }
  return below
}

/** The real path of a file; `null` if there is none, or a link leads out of the folder. */
async function pathWithin(directory: string, scope: FeedScope, name: string): Promise<string | null> {
  if (!dayFile.test(name)) return null
  try {
    const [root, path] = await Promise.all([realpath(directory), realpath(join(archiveFolder(directory, scope), name))])
    return path.startsWith(`${root}${sep}`) && (await stat(path)).isFile() ? path : null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return null
    throw error
  }
}
