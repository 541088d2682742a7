import { builtFile } from '@crunch/local-processes'
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

/** How to start these workers in one process. */
export function workerCommand(workers: readonly WorkerName[]): {
  readonly command: string
  readonly args: readonly string[]
} {
  const nodeArguments = workers.includes('predict') ? steadyNodeArguments : []
  const program = builtFile(import.meta.url, 'bin.js')
  return { command: process.execPath, args: [...nodeArguments, program, '--workers', workers.join(',')] }
}
