import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

const installLimitMs = 180_000

/** Path of the library that shifts the clock of a process; `undefined` if missing. With CI=true it is installed. */
export async function findLibfaketime(): Promise<string | undefined> {
  const found = await installedLibrary()
  if (found !== undefined || process.env.CI === undefined) return found
  const quiet = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeout: installLimitMs }
  await execa('apt-get', ['update', '--quiet'], quiet)
  await execa('apt-get', ['install', '--quiet', '--yes', '--no-install-recommends', 'libfaketime'], quiet)
  return installedLibrary()
}

/** Debian installs it in a folder named after the architecture. */
async function installedLibrary(): Promise<string | undefined> {
  const folders = await readdir('/usr/lib').catch(() => [])
  return folders.map((name) => join('/usr/lib', name, 'faketime/libfaketime.so.1')).find((path) => existsSync(path))
}
