import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { holds } from '../confine/visible-paths.ts'
import { RunFailure } from '../run-failure.ts'

/** No text file of a submission needs more. */
const MAX_BYTES = 32 * 1024 * 1024

/**
 * Throws `BUILD_FAILED` when a file of a submission is too large, not a file, or a link that leaves the folder: it would be read
 * with the orchestrator's rights, and its lines would appear in an error.
 */
export async function checkOwnFile(path: string): Promise<void> {
  try {
    await check(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** The content of a file of a submission, null when there is none. Throws as `checkOwnFile` does. */
export async function readOwnFile(path: string): Promise<Buffer | null> {
  try {
    await check(path)
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw unreadable(path, error)
  }
}

async function check(path: string): Promise<void> {
  const folder = await realpath(dirname(path))
  if (!holds(folder, await realpath(path)))
    throw new Error('it is a link that leaves the folder; copy what it links to')
  const found = await stat(path)
  // Opening a pipe would wait for a writer.
  if (!found.isFile()) throw new Error('it is not a file')
  const { size } = found
  if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_BYTES}; clear its outputs`)
}

function unreadable(path: string, error: unknown): RunFailure {
  return new RunFailure('BUILD_FAILED', `${path} cannot be read: ${errorText(error)}`, { cause: error })
}
