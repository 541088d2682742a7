import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { enterGroups, type Program, readOwnGroups } from './own-groups.ts'

/** Of each period the group may use its processors for so long. */
const PERIOD_US = 4_000
const QUOTA_US = 3_000

/** Shared by all orchestrators of a machine, so that at most one can be left behind. */
const NAME = 'crunch-background'

/**
 * A control group of Linux whose processes get CPU time only when no other process needs it: `cpu.idle` of cgroups(7).
 * Priorities alone do not achieve that. A process that was idle recently may always finish its time slice, on each
 * processor, so a dozen starting programs make others wait for a dozen slices.
 *
 * A processor with only background work is not idle for Linux, and takes over no work that waits for another one. So
 * the group is limited to half of the processors, where possible (cpuset(7)), and to three quarters of their time, in
 * periods so short that they are often idle for a moment (cpu.cfs_quota_us and cpu.max of cgroups(7)).
 */
export interface BackgroundGroup {
  /** Where it is. */
  readonly path: string
  /** The folders that contain it, one per tree of groups. */
  readonly homes: readonly string[]
  /** The processors it may use, e.g. `2-3`; null for all, with the reason in `allBecause`. */
  readonly processors: string | null
  readonly allBecause?: string
  /** What its processes get together, in whole processors. */
  readonly cores: number
  /**
   * The same program, in the group from its first moment: children that it starts at once could not be found in time.
   */
  enter(program: Program): Program
  /**
   * Moves a process, with its threads and future children, into the group or out of it. An ended process is ignored.
   */
  move(pid: number, direction: 'in' | 'out'): void
  /** Removes it unless there are processes in it. */
  close(): void
}

/**
 * Creates the group beside that of this process, or returns the reason why it cannot. `system` is where Linux describes
 * a process.
 */
export function openBackgroundGroup(system = '/proc/self'): BackgroundGroup | string {
  if (process.platform !== 'linux') return `${process.platform} has no control groups`
  try {
    const groups = readOwnGroups(system)
    const home = groups.find('cpu')
    if (home === null) return 'no CPU control group is mounted where this process could create its own'
    const idle = join(home, NAME)
    if (!makeIdle(idle)) {
      remove(idle)
      return `${idle} has no cpu.idle`
    }
    return createGroup(home, groups.find('cpuset'))
  } catch (error) {
    return errorText(error)
  }
}

/** In version 1 processors are shared out and assigned in two trees of groups, in version 2 in one. */
function createGroup(idleHome: string, setHome: string | null): BackgroundGroup {
  const found = setHome === null ? 'no control group that assigns processors is mounted here' : openHalf(setHome)
  const half = typeof found === 'string' ? null : found
  const count = half?.count ?? availableParallelism()
  const makeShare = (path: string) => {
    makeIdle(path)
    limit(path, count)
  }
  const share: Part = { home: idleHome, path: join(idleHome, NAME), make: makeShare }
  makeShare(share.path)
  const parts = half === null ? [share] : [share, half]
  return {
    path: share.path,
    homes: parts.map(({ home }) => home),
    processors: half?.processors ?? null,
    ...(typeof found === 'string' ? { allBecause: found } : {}),
    cores: (count * QUOTA_US) / PERIOD_US,
    enter(program) {
      // Another orchestrator that ended may have removed it.
      for (const { make, path } of parts) if (!existsSync(path)) make(path)
      // A program that cannot enter is moved as soon as it is seen.
      return enterGroups(
        parts.map(({ path }) => path),
        'optional',
        program,
      )
    },
    move(pid, direction) {
      try {
        for (const part of parts) moveInto(direction === 'in' ? part.path : part.home, pid)
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error
        // Another orchestrator that ended has removed it.
        for (const { make, path } of parts) make(path)
        for (const part of parts) moveInto(direction === 'in' ? part.path : part.home, pid)
      }
    },
    close() {
      for (const { path } of parts) remove(path)
    },
  }
}

interface Half extends Part {
  readonly processors: string
  readonly count: number
}

/** Returns a reason on failure: the other part is still useful. */
function openHalf(home: string): Half | string {
  const path = join(home, NAME)
  try {
    const all = readProcessors(home)
    if (all.length < 2) return 'only one is available'
    const half = all.slice(Math.ceil(all.length / 2))
    const processors = rangesOf(half)
    const assignHalf = () => assign(home, path, processors)
    if (assignHalf()) return { home, path, make: assignHalf, processors, count: half.length }
    remove(path)
    return `${path} has no cpuset.cpus`
  } catch (error) {
    remove(path)
    return errorText(error)
  }
}

/** A group in one tree. */
interface Part {
  readonly home: string
  readonly path: string
  /** Makes it again. */
  make(path: string): void
}

function moveInto(group: string, pid: number): void {
  try {
    writeFileSync(join(group, 'cgroup.procs'), String(pid))
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

function makeIdle(path: string): boolean {
  return make(path, 'cpu.idle', () => '1')
}

/** Where the group above has less than that itself, version 1 refuses it; then that limit serves as well. */
function limit(path: string, processorCount: number): void {
  const quotaUs = QUOTA_US * processorCount
  if (make(path, 'cpu.max', () => `${quotaUs} ${PERIOD_US}`)) return
  make(path, 'cpu.cfs_period_us', () => String(PERIOD_US))
  try {
    make(path, 'cpu.cfs_quota_us', () => String(quotaUs))
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error
  }
}

/** In version 1 a group has to be given its memory as well before its first process. */
function assign(home: string, path: string, processors: string): boolean {
  const memory = join(home, 'cpuset.mems')
  if (existsSync(memory)) make(path, 'cpuset.mems', () => readFileSync(memory, 'utf8').trim())
  return make(path, 'cpuset.cpus', () => processors)
}

/** False where the kernel has no such file in the groups of this tree. */
function make(path: string, file: string, text: () => string): boolean {
  mkdirSync(path, { recursive: true })
  if (!existsSync(join(path, file))) return false
  writeFileSync(join(path, file), text())
  return true
}

/** The processors of a group, one by one: `0-2,5` are four. */
function readProcessors(home: string): number[] {
  const file = ['cpuset.effective_cpus', 'cpuset.cpus.effective', 'cpuset.cpus'].find((name) =>
    existsSync(join(home, name)),
  )
  const text = file === undefined ? '' : readFileSync(join(home, file), 'utf8').trim()
  return text.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 || 0 }, (_, index) => first + index)
  })
}

/** As Linux writes them. */
function rangesOf(processors: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const processor of processors) {
    const range = ranges.at(-1)
    if (range?.[1] === processor - 1) range[1] = processor
    else ranges.push([processor, processor])
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}

function remove(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if (!['EBUSY', 'ENOTEMPTY', 'ENOENT', 'ENOTDIR'].includes(codeOf(error))) throw error
  }
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
