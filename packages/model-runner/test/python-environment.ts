import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withDirectoryLock } from '../../local-processes/src/directory-lock.ts'

const run = promisify(execFile)
const installLimitMs = 300_000

/**
 * The Python of a virtual environment with these packages, made once a machine. Throws what the installer printed: a test
 * skips with it, or fails when CI says that everything must run.
 */
async function pythonWith(requirements: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 16)
  const directory = join(tmpdir(), 'crunch-test-environments', hash)
  const python = join(directory, 'venv', 'bin', 'python')
  const complete = join(directory, 'complete')
  await mkdir(directory, { recursive: true })
  await withDirectoryLock(directory, installLimitMs, async () => {
    if (existsSync(complete)) return
    await rm(join(directory, 'venv'), { recursive: true, force: true })
    await run('python3', ['-m', 'venv', join(directory, 'venv')], { timeout: installLimitMs })
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements], {
      timeout: installLimitMs,
    })
    await writeFile(complete, '')
  })
  return python
}

/** The deployed runner of Python models: the release that participants' models run in, and the judge of the protocol. */
export const DEPLOYED_RUNNER = 'crunch-model-runner==0.4.2'

/** As `pythonWith`, but where that fails and CI does not ask for everything, why: a test then skips with it. */
export async function pythonOrReason(requirement: string): Promise<{ python: string } | { reason: string }> {
  try {
    return { python: await pythonWith([requirement]) }
  } catch (error) {
    if (process.env.CI === 'true') throw error
    const reason = `no environment with ${requirement}: ${String(error)}`
    console.warn(`Skipped: ${reason}`)
    return { reason }
  }
}
