import { spawnSync } from 'node:child_process'

/**
 * Binds all threads of this process to CPU cores, in the notation of `taskset` ("0", "1-3"). False if `taskset` is not
 * installed; then the measured process may use more cores.
 */
export function bindToProcessors(list: string): boolean {
  const { error, status } = spawnSync('taskset', ['-acp', list, String(process.pid)], { stdio: 'ignore' })
  return error === undefined && status === 0
}
