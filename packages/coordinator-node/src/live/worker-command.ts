import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Node's arguments for a worker. A round makes many short-lived objects; with room for them (in MB) they are gone before they
 * are looked at, which takes about a tenth off the time from record to stored predictions, for some 70 MB.
 */
export const workerNodeArguments: readonly string[] = ['--max-semi-space-size=64']

/** How to start a worker process: the built program, or in development its source through tsx. */
export function workerCommand(): { readonly command: string; readonly args: readonly string[] } {
  const here = dirname(fileURLToPath(import.meta.url))
  const built = join(here, 'bin.js')
  if (existsSync(built)) return { command: process.execPath, args: [...workerNodeArguments, built] }
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return { command: process.execPath, args: [...workerNodeArguments, '--import', tsx, join(here, '..', 'bin.ts')] }
}
