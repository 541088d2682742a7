import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { enterGroups, type Program, readOwnGroups, removeGroup } from './own-groups.ts'

/** The CPU quota per period, in microseconds per processor. */
const PERIOD_US = 4_000
const QUOTA_US = 3_000

/** One name for all orchestrators of a machine, so at most one group can be left behind. */
const NAME = 'crunch-background'

/**
 * A control group of Linux whose processes get CPU time only when no other process needs it: `cpu.idle` of cgroups(7).
 * Priorities alone do not achieve that. A process that was idle recently may always finish its time slice, on each
 * processor, so a dozen starting programs make others wait for a dozen slices.
 *
 * A processor with only background work is not idle for Linux, and does not take over work that waits for another one. So
 * the group is limited to half of the processors, where possible (cpuset(7)), and to three quarters of their time, in
 * periods so short that they are often idle for a moment (cpu.cfs_quota_us and cpu.max of cgroups(7)).
 */
export interface BackgroundGroup {
  /** The folder of the group. */
  readonly path: string
  /** The parent folders, one per tree of groups. */
  readonly homes: readonly string[]
  /** The processors it may use, e.g. `2-3`; null for all, with the reason in `allBecause`. */
  readonly processors: string | null
  readonly allBecause?: string
  /** The CPU time of the whole group, in processors. */
  readonly cores: number
  /**
   * Returns a program that joins the group before it executes `program`: children that it starts at once could not be
   * moved in time.
   */
  enter(program: Program): Program
  /**
   * Moves a process, with its threads and future children, into the group or out of it. An ended process is ignored.
   */
  move(pid: number, direction: 'in' | 'out'): void
  /** Removes the group unless it contains processes. */
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
      removeGroup(idle)
      return `${idle} has no cpu.idle`
    }
    return createGroup(home, groups.find('cpuset'))
  } catch (error) {
    return errorText(error)
  }
}

/** Version 1 divides CPU time and assigns processors in two trees of groups, version 2 in one. */
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
      // A program that cannot join is moved at the next sample.
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
        if (systemErrorCode(error) !== 'ENOENT') throw error
        // Another orchestrator that ended has removed it.
        for (const { make, path } of parts) make(path)
        for (const part of parts) moveInto(direction === 'in' ? part.path : part.home, pid)
      }
    },
    close() {
      for (const { path } of parts) removeGroup(path)
    },
  }
}

interface Half extends Part {
  readonly processors: string
  readonly count: number
}

/** Returns the reason of a failure instead of throwing, because the other part is still useful. */
function openHalf(home: string): Half | string {
  const path = join(home, NAME)
  try {
    const all = readProcessors(home)
    if (all.length < 2) return 'only one is available'
    const half = all.slice(Math.ceil(all.length / 2))
    const processors = rangesOf(half)
    const assignHalf = () => assign(home, path, processors)
    if (assignHalf()) return { home, path, make: assignHalf, processors, count: half.length }
    removeGroup(path)
    return `${path} has no cpuset.cpus`
  } catch (error) {
    removeGroup(path)
    return errorText(error)
  }
}

/** The group in one tree. */
interface Part {
  readonly home: string
  readonly path: string
  /** Creates it again. */
  make(path: string): void
}

function moveInto(group: string, pid: number): void {
  try {
    writeFileSync(join(group, 'cgroup.procs'), String(pid))
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error
  }
}

function makeIdle(path: string): boolean {
  return make(path, 'cpu.idle', () => '1')
}

/** If the parent group has a lower quota, version 1 refuses this one; the parent's limit then applies. */
function limit(path: string, processorCount: number): void {
  const quotaUs = QUOTA_US * processorCount
  if (make(path, 'cpu.max', () => `${quotaUs} ${PERIOD_US}`)) return
  make(path, 'cpu.cfs_period_us', () => String(PERIOD_US))
  try {
    make(path, 'cpu.cfs_quota_us', () => String(quotaUs))
  } catch (error) {
    if (systemErrorCode(error) !== 'EINVAL') throw error
  }
}

/** In version 1 a cpuset accepts processes only after its memory nodes are set. */
function assign(home: string, path: string, processors: string): boolean {
  const memory = join(home, 'cpuset.mems')
  if (existsSync(memory)) make(path, 'cpuset.mems', () => readFileSync(memory, 'utf8').trim())
  return make(path, 'cpuset.cpus', () => processors)
}

/** False if the group has no such file. */
function make(path: string, file: string, text: () => string): boolean {
  mkdirSync(path, { recursive: true })
  if (!existsSync(join(path, file))) return false
  writeFileSync(join(path, file), text())
  return true
}

/** Expands a list of processors: `0-2,5` becomes 0, 1, 2 and 5. */
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

/** A list of processors in Linux's format. */
function rangesOf(processors: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const processor of processors) {
    const range = ranges.at(-1)
    if (range?.[1] === processor - 1) range[1] = processor
    else ranges.push([processor, processor])
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}
