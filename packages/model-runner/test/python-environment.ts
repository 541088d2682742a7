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
export async function pythonWith(requirements: readonly string[]): Promise<string> {
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
