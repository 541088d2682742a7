import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 512

/** What the folder takes on the disk. What vanishes meanwhile is not counted; links are not followed. */
export async function measureFolder(folder: string): Promise<number> {
  const items = await readdir(folder, { withFileTypes: true }).catch(() => [])
  let bytes = 0
  for (const item of items) {
    const path = join(folder, item.name)
    if (item.isDirectory()) bytes += await measureFolder(path)
    const found = await lstat(path).catch(() => null)
    bytes += (found?.blocks ?? 0) * BLOCK_BYTES
  }
  return bytes
}
