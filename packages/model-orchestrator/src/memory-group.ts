import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from './background-group.ts'
import { errorText } from './orchestrator-error.ts'
import { readOwnGroups } from './own-groups.ts'

const MIB = 1024 * 1024
const PREFIX = 'crunch-memory-'
const REMOVE_TRIES = 100
const REMOVE_DELAY_MS = 100

/**
 * A control group of Linux that limits the memory of one model: all of it, also what no process shows as its own, such as
 * unmapped memfd files, files in memory, System V segments, page tables and buffers of sockets. See cgroups(7).
 */
export interface MemoryGroup {
  /** The same program, in the group from its first moment on; it does not start where it cannot enter. */
  enter(program: Program): Program
  /** How many processes Linux has killed because the limit was reached. */
  kills(): number
  /** Call it when no process is left. */
  remove(): void
}

export interface MemoryGroups {
  readonly path: string
  open(memoryMib: number): MemoryGroup
}

/** Says in words why there can be none. `system` is where Linux describes a process. */
export function openMemoryGroups(system = '/proc/self'): MemoryGroups | string {
  if (process.platform !== 'linux') return `${process.platform} has no control groups`
  try {
    const home = readOwnGroups(system).find('memory')
    if (home === null) return 'no control group of memory is mounted where this process could have one of its own'
    allowController(home)
    removeStale(home)
    const probe = openGroup(home, 'probe', MIB)
    probe.remove()
    let opened = 0
    return {
      path: home,
      open(memoryMib) {
        opened += 1
        return openGroup(home, String(opened), memoryMib * MIB)
      },
    }
  } catch (error) {
    return errorText(error)
  }
}

/** `$1` is the folder of the group, the rest the program. */
const ENTER = `
echo 0 >"$1/cgroup.procs" || exit 125
unset PWD OLDPWD SHLVL
shift
exec "$@"
`

function openGroup(home: string, name: string, bytes: number): MemoryGroup {
  const path = join(home, `${PREFIX}${process.pid}-${name}`)
  mkdirSync(path, { recursive: true })
  try {
    limit(path, bytes)
  } catch (error) {
    remove(path)
    throw error
  }
  const events = ['memory.events', 'memory.oom_control'].map((file) => join(path, file)).find(existsSync)
  return {
    enter: ({ command, args }) => ({ command: '/bin/sh', args: ['-c', ENTER, 'enter', path, command, ...args] }),
    kills() {
      const text = events === undefined ? '' : readFileSync(events, 'utf8')
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0)
    },
    remove: () => removeWhenEmpty(path),
  }
}

/** A process that was killed leaves its group a moment after it is gone for its parent. */
function removeWhenEmpty(path: string, triesLeft = REMOVE_TRIES): void {
  remove(path)
  if (triesLeft > 0 && existsSync(path)) setTimeout(() => removeWhenEmpty(path, triesLeft - 1), REMOVE_DELAY_MS).unref()
}

/** In version 1 memory and swap are limited together; in version 2 swap by itself. */
function limit(path: string, bytes: number): void {
  const write = (file: string, text: string) => {
    if (!existsSync(join(path, file))) return false
    writeFileSync(join(path, file), text)
    return true
  }
  if (write('memory.max', String(bytes))) {
    write('memory.swap.max', '0')
    write('memory.oom.group', '1')
    return
  }
  if (!write('memory.limit_in_bytes', String(bytes))) throw new Error(`${path} has no limit of memory`)
  write('memory.memsw.limit_in_bytes', String(bytes))
}

/** In version 2 the groups below have a limit only when this one hands the controller on. */
function allowController(home: string): void {
  const file = join(home, 'cgroup.subtree_control')
  if (existsSync(file) && !readFileSync(file, 'utf8').split(/\s+/).includes('memory')) writeFileSync(file, '+memory')
}

/** What an orchestrator that was killed left behind. */
function removeStale(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) remove(join(home, name))
  }
}

function remove(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    if (!['EBUSY', 'ENOTEMPTY', 'ENOENT'].includes(code)) throw error
  }
}
