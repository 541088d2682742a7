import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CreateError } from './create-error.ts'
import type { PackageManager } from './options.ts'

/** Runs `npm install` or `pnpm install` in the workspace and shows its output; stops it when `signal` aborts. */
export async function install(directory: string, packageManager: PackageManager, signal: AbortSignal): Promise<void> {
  // On Windows both programs are scripts, which only a shell can start.
  const child = spawn(packageManager, ['install'], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  const stop = () => child.kill()
  signal.addEventListener('abort', stop)
  // Always waits for the end: the child must not write into a folder that is being removed.
  const [code, killedBy] = await once(child, 'close').catch((error: Error) => {
    throw new CreateError(`${packageManager} cannot be started: ${error.message}`, { cause: error })
  })
  signal.removeEventListener('abort', stop)
  if (code === 0 || signal.aborted) return
  throw new CreateError(`"${packageManager} install" failed (${killedBy ?? `exit code ${code}`}); its output is above.`)
}
