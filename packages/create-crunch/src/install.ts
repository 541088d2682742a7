import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CreateError } from './create-error.ts'
import type { PackageManager } from './options.ts'

/** Runs `npm install` or `pnpm install` in the workspace, its output shown as it comes. */
export async function install(directory: string, packageManager: PackageManager): Promise<void> {
  // On Windows both are scripts, which only a shell can start.
  const child = spawn(packageManager, ['install'], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  const [code, signal] = await once(child, 'close').catch((error: Error) => {
    throw new CreateError(`${packageManager} cannot be started: ${error.message}`, { cause: error })
  })
  if (code !== 0) {
    throw new CreateError(`"${packageManager} install" failed (${signal ?? `exit code ${code}`}); its output is above.`)
  }
}
