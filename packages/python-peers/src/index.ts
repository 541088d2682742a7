import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withDirectoryLock } from '@crunch/local-processes'

const run = promisify(execFile)
const installLimitMs = 300_000

/** The deployed runner of participants' Python models: the reference for the protocol. */
export const DEPLOYED_RUNNER = 'crunch-model-runner==0.4.2'
/** The client with which deployed coordinators call models. */
export const DEPLOYED_CLIENT = 'model-runner-client==0.14.0'

/** One folder per machine: an environment takes some hundred megabytes, and is created once for all test runs. */
export const TEST_ENVIRONMENTS = join(tmpdir(), 'crunch-test-environments')

/** Why tests with a real Python cannot run here; null if they can. In CI no test is skipped: they fail instead. */
export function pythonIsMissing(): string | null {
  if (process.env.CI === 'true') return null
  const probe = 'import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 11) else 1)'
  try {
    execFileSync('python3', ['-c', probe], { timeout: 30_000, stdio: 'ignore' })
    return null
  } catch (error) {
    return `no python3 >= 3.11 with venv on the PATH (${String(error)})`
  }
}

/**
 * Returns the Python of an environment with this package. Outside CI, returns the reason if it cannot be created, with which
 * a test can skip.
 */
export async function pythonOrReason(requirement: string): Promise<{ python: string } | { reason: string }> {
  try {
    return { python: await pythonWith(requirement) }
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = `no environment with ${requirement}: ${String(error)}`
    console.warn(`Skipped: ${reason}`)
    return { reason }
  }
}

/** On failure, throws an error with the installer's output. */
async function pythonWith(requirement: string): Promise<string> {
  const hash = createHash('sha256').update(requirement).digest('hex').slice(0, 16)
  const directory = join(TEST_ENVIRONMENTS, hash)
  const python = join(directory, 'venv', 'bin', 'python')
  const complete = join(directory, 'complete')
  await mkdir(directory, { recursive: true })
  await withDirectoryLock(directory, installLimitMs, async () => {
    if (existsSync(complete)) return
    await rm(join(directory, 'venv'), { recursive: true, force: true })
    await run('python3', ['-m', 'venv', join(directory, 'venv')], { timeout: installLimitMs })
    // Most of the modules are never imported: compiling all of them takes half of the time.
    await run(python, ['-m', 'pip', 'install', '--quiet', '--no-compile', '--disable-pip-version-check', requirement], {
      timeout: installLimitMs,
      // Without it, older versions of pip cannot build the runner's requirements.
      env: { ...process.env, PIP_USE_PEP517: '1' },
    })
    await writeFile(complete, '')
  })
  return python
}
