import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 512

/** The disk space that folders take. */
export interface FolderSize {
  readonly bytes: number
  /** Files, folders and links. */
  readonly files: number
  /** Why a folder could not be read, such as ENAMETOOLONG for a deeply nested one; null if all could. */
  readonly unreadable: string | null
}

/** Stops counting beyond `maxFiles`. Ignores files that vanish meanwhile; does not follow links. */
export async function measureFolders(folders: readonly string[], maxFiles: number): Promise<FolderSize> {
  const open = [...folders]
  let bytes = 0
  let files = 0
  let unreadable: string | null = null
  for (let folder = open.pop(); folder !== undefined && files <= maxFiles; folder = open.pop()) {
    const items = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') unreadable ??= String(error.code)
      return []
    })
    for (const item of items) {
      files += 1
      if (files > maxFiles) break
      const path = join(folder, item.name)
      if (item.isDirectory()) open.push(path)
      const found = await lstat(path).catch(() => null)
      bytes += (found?.blocks ?? 0) * BLOCK_BYTES
    }
  }
  return { bytes, files, unreadable }
}
