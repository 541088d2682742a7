import { readFile, stat } from 'node:fs/promises'
import { errorText } from './orchestrator-error.ts'
import { RunFailure } from './run-failure.ts'

/** A text of an author's submission that is larger is a mistake. */
const MAX_BYTES = 32 * 1024 * 1024

/** The text of a submission's file, null when there is none. Throws `BUILD_FAILED` when it is too large or unreadable. */
export async function readTextFile(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path)
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_BYTES}; clear the outputs it holds`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new RunFailure('BUILD_FAILED', `${path} cannot be read: ${errorText(error)}`, { cause: error })
  }
}
