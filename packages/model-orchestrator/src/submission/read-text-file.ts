import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { holds } from '../confine/visible-paths.ts'
import { errorText } from '../errors.ts'
import { RunFailure } from '../run-failure.ts'

/** A text of an author's submission that is larger is a mistake. */
const MAX_BYTES = 32 * 1024 * 1024

/**
 * The text of a file in a submission's folder, null when there is none. Throws `BUILD_FAILED` when it is too large, unreadable,
 * or a link that leaves the folder: it would be read with our rights, and its lines would come back in an error.
 */
export async function readTextFile(path: string): Promise<string | null> {
  try {
    const folder = await realpath(dirname(path))
    if (!holds(folder, await realpath(path)))
      throw new Error('it is a link that leaves the folder; copy what it links to')
    const found = await stat(path)
    // To open a pipe is to wait for who writes to it.
    if (!found.isFile()) throw new Error('it is not a file')
    const { size } = found
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_BYTES}; clear the outputs it holds`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new RunFailure('BUILD_FAILED', `${path} cannot be read: ${errorText(error)}`, { cause: error })
  }
}
