import { existsSync, readFileSync } from 'node:fs'
import { openLimitGroups } from '../src/limit/limit-groups.ts'

let reported = false

/**
 * Why the tests of control groups cannot run here; null if they can. A CI machine may have no writable groups: the reason is then
 * printed, and only the tests without groups run. For root with writable version 1 mounts, groups must work, so in CI a reason is
 * an error.
 */
export function groupsAreMissing(): string | null {
  const { memory, pids } = openLimitGroups().problems
  const reason = memory ?? pids
  if (reason === null) return null
  if (process.env.CI === 'true' && shouldBePossible()) throw new Error(`control groups must work here, but: ${reason}`)
  if (!reported) process.stderr.write(`tests of control groups are skipped: ${reason}\n`)
  reported = true
  return reason
}

function shouldBePossible(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const isWritable = (controller: string) =>
    mounts.some((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [kind, , options = ''] = after.split(' ')
      const own = before.split(' ')[5]?.split(',') ?? []
      return kind === 'cgroup' && options.split(',').includes(controller) && own.includes('rw')
    })
  return existsSync('/proc/self/cgroup') && isWritable('memory') && isWritable('pids')
}
