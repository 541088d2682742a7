import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** How to start a worker process: the built program, or in development its source through tsx. */
export function workerCommand(): { readonly command: string; readonly args: readonly string[] } {
  const here = dirname(fileURLToPath(import.meta.url))
  const built = join(here, 'bin.js')
  if (existsSync(built)) return { command: process.execPath, args: [built] }
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return { command: process.execPath, args: ['--import', tsx, join(here, '..', 'bin.ts')] }
}
