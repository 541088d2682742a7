import { spawnSync } from 'node:child_process'

/**
 * Binds this process with all its threads to processors, named as `taskset` does ("0", "1-3"). False where there is no
 * `taskset`: then the measured process may use more than one.
 */
export function bindToProcessors(list: string): boolean {
  const { error, status } = spawnSync('taskset', ['-acp', list, String(process.pid)], { stdio: 'ignore' })
  return error === undefined && status === 0
}
