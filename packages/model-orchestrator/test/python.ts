import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One folder a machine: what an environment holds is some hundred megabytes, made once for all runs of the tests. */
export const TEST_ENVIRONMENTS = join(tmpdir(), 'crunch-test-environments')

/** Why tests with a real Python cannot run here, else null. In CI nothing is skipped: they fail instead. */
export function pythonIsMissing(): string | null {
  if (process.env.CI === 'true') return null
  const probe = 'import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 11) else 1)'
  const { status, error } = spawnSync('python3', ['-c', probe], { timeout: 30_000 })
  if (status === 0) return null
  return `no python3 >= 3.11 with venv on the PATH${error === undefined ? '' : ` (${error.message})`}`
}
