import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemErrorCode } from './system-error-code.ts'

/**
 * Creates a folder and its missing parents; an existing one stays. For paths that users choose: the recursive `mkdir` of Node.js
 * 20 never ends in a folder that refuses new entries with ENOENT, such as `/proc`.
 * @throws the error of the system, e.g. EACCES, ENOTDIR, or EEXIST if the path is a file
 */
export async function createFolder(path: string): Promise<void> {
  if ((await tryToCreate(path)) === undefined) return
  const parent = dirname(path)
  if (parent !== path) await createFolder(parent)
  const error = await tryToCreate(path)
  if (error !== undefined) throw error
}

/** @returns the error if the parent is missing */
async function tryToCreate(path: string): Promise<unknown> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT') return error
    if (code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
  }
}
