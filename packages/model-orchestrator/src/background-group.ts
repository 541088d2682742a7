import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from './orchestrator-error.ts'

/** One for all orchestrators of a machine, so that none of them can leave more than one behind. */
const NAME = 'crunch-background'

/**
 * A control group of Linux whose processes get a processor only while nobody else wants it: `cpu.idle` of cgroups(7).
 * Priorities alone don't do that. Whoever has run little lately may always finish the time slice that it was given, on
 * each processor, and a dozen programs that start make a dozen slices for others to wait for.
 */
export interface BackgroundGroup {
  /** Where it is. */
  readonly path: string
  /** Brings a process in, with its threads and the children it will have, or back out. One that has ended is passed over. */
  move(pid: number, direction: 'in' | 'out'): void
  /** Removes it unless there are processes in it. */
  close(): void
}

/** Makes the group beside this process, or says in words why there is none. `system` is where Linux describes a process. */
export function openBackgroundGroup(system = '/proc/self'): BackgroundGroup | string {
  if (process.platform !== 'linux') return `${process.platform} has no control groups`
  try {
    const home = findOwnGroup(system)
    if (home === null) return 'no control group of processors is mounted where this process could have one of its own'
    const path = join(home, NAME)
    if (!open(path)) {
      remove(path)
      return `${path} has no cpu.idle`
    }
    return createGroup(home, path)
  } catch (error) {
    return errorText(error)
  }
}

function createGroup(home: string, path: string): BackgroundGroup {
  return {
    path,
    move(pid, direction) {
      const group = direction === 'in' ? path : home
      try {
        moveInto(group, pid)
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error
        // Another orchestrator that ended has removed it.
        open(path)
        moveInto(group, pid)
      }
    },
    close: () => remove(path),
  }
}

function moveInto(group: string, pid: number): void {
  try {
    writeFileSync(join(group, 'cgroup.procs'), String(pid))
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

/** False where the kernel can't keep a group in the background. */
function open(path: string): boolean {
  mkdirSync(path, { recursive: true })
  const idle = join(path, 'cpu.idle')
  if (!existsSync(idle)) return false
  writeFileSync(idle, '1')
  return true
}

function remove(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if (!['EBUSY', 'ENOTEMPTY', 'ENOENT'].includes(codeOf(error))) throw error
  }
}

/**
 * The folder of the group that shares processors out to this process. Null in version 2 except in its root: in another
 * group that has processes there can be none below it (cgroups(7), "no internal processes").
 */
function findOwnGroup(system: string): string | null {
  const own = readFileSync(join(system, 'cgroup'), 'utf8')
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const mounts = readFileSync(join(system, 'mountinfo'), 'utf8').split('\n').map(parseMount)
  const groupOf = (isController: (names: string) => boolean) =>
    own.find((match) => isController(match?.[1] ?? '-'))?.[2]
  const first = mounts.find((mount) => mount?.kind === 'cgroup' && mount.options.includes('cpu'))
  const firstGroup = groupOf((names) => names.split(',').includes('cpu'))
  if (first && firstGroup !== undefined) return folderOf(first, firstGroup)
  const second = mounts.find((mount) => mount?.kind === 'cgroup2')
  return second && groupOf((names) => names === '') === '/' ? second.place : null
}

interface Mount {
  /** The part of the hierarchy that is seen there. */
  readonly root: string
  readonly place: string
  readonly kind: string
  readonly options: readonly string[]
}

/** One line of proc_pid_mountinfo(5). */
function parseMount(line: string): Mount | null {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root, place] = before.split(' ')
  const [kind, , options] = after.split(' ')
  if (root === undefined || place === undefined || kind === undefined || options === undefined) return null
  return { root, place, kind, options: options.split(',') }
}

/** Null when the mount does not show the group. */
function folderOf({ root, place }: Mount, group: string): string | null {
  if (root === '/') return join(place, group)
  return group === root || group.startsWith(`${root}/`) ? join(place, group.slice(root.length)) : null
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
