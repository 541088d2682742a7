import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { WorkerName } from './worker-context.ts'

/**
 * Node's arguments for the processes whose pauses make answers late: the predict service and the orchestrator. By default V8
 * stops for a full collection when a few megabytes of garbage are old, and then for up to three more because the process is
 * idle between rounds: each takes 10 to 20 ms of all cores. With room for young objects and for old garbage (in MB), and without
 * the collections of idle processes, there are hardly any. It costs up to some 150 MB. Young garbage is collected between
 * fan-outs, which takes `--expose-gc`.
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
