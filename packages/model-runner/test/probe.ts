import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface ProbeOutcome {
  readonly exports?: string[]
  readonly same?: boolean
  readonly path?: unknown
  readonly name?: string
  readonly error?: string
  readonly code?: string
  readonly message?: string
  readonly stack?: string
}

/** Runs `load-probe.ts` in a separate process. */
export async function probe(...values: readonly string[]): Promise<ProbeOutcome> {
  const script = fileURLToPath(new URL('./load-probe.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...values])
  return JSON.parse(stdout)
}
