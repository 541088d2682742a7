import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { WorkerName } from './worker-context.ts'

/**
 * Node's arguments for the processes whose pauses make answers late: the predict service and the orchestrator. By default V8
 * pauses for a full collection after a few megabytes of old garbage, and for up to three more while the process is idle
 * between rounds; each uses all cores for 10 to 20 ms. Larger limits for young objects and old garbage (in MB), and no
 * collections while idle, avoid nearly all of them at a cost of up to about 150 MB. Collecting young garbage between fan-outs
 * needs `--expose-gc`.
 */
export const steadyNodeArguments: readonly string[] = [
  '--max-semi-space-size=64',
  '--initial-old-space-size=128',
  '--no-memory-reducer',
  '--expose-gc',
]

/** How to start these workers in one process: the built program, or in development its source through tsx. */
export function workerCommand(workers: readonly WorkerName[]): {
  readonly command: string
  readonly args: readonly string[]
} {
  const nodeArguments = workers.includes('predict') ? steadyNodeArguments : []
  return { command: process.execPath, args: [...nodeArguments, ...program(), '--workers', workers.join(',')] }
}

function program(): readonly string[] {
  const here = dirname(fileURLToPath(import.meta.url))
  const built = join(here, 'bin.js')
  if (existsSync(built)) return [built]
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return ['--import', tsx, join(here, '..', '..', 'bin.ts')]
}
