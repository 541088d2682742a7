import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
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

/** The fuzzer of the report API. All of its requirements are pinned, because the same seed must give the same requests. */
export const API_FUZZER = readFileSync(new URL('api-fuzzer.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')

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
 * Returns the Python of an environment with these packages. Outside CI, returns the reason if it cannot be created, with which
 * a test can skip.
 */
export async function pythonOrReason(
  ...requirements: readonly string[]
): Promise<{ python: string } | { reason: string }> {
  try {
    return { python: await pythonWith(requirements) }
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = `no environment with ${requirements[0]}: ${String(error)}`
    console.warn(`Skipped: ${reason}`)
    return { reason }
  }
}

/** On failure, throws an error with the installer's output. */
async function pythonWith(requirements: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(requirements.join(' ')).digest('hex').slice(0, 16)
  const directory = join(TEST_ENVIRONMENTS, hash)
  const python = join(directory, 'venv', 'bin', 'python')
  const complete = join(directory, 'complete')
  await mkdir(directory, { recursive: true })
  await withDirectoryLock(directory, installLimitMs, async () => {
    if (existsSync(complete)) return
    await rm(join(directory, 'venv'), { recursive: true, force: true })
    await run('python3', ['-m', 'venv', join(directory, 'venv')], { timeout: installLimitMs })
    // Most of the modules are never imported: compiling all of them takes half of the time.
    const install = ['-m', 'pip', 'install', '--quiet', '--no-compile', '--disable-pip-version-check']
    await run(python, [...install, ...requirements], {
      timeout: installLimitMs,
      // Without it, older versions of pip cannot build the runner's requirements.
      env: { ...process.env, PIP_USE_PEP517: '1' },
    })
    await writeFile(complete, '')
  })
  return python
}
