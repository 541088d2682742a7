import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '@crunch/local-processes/errors'
import { enterGroups, type Program, readOwnGroups, removeGroup } from './own-groups.ts'

const MIB = 1024 * 1024
const PREFIX = 'crunch-limits-'
/** Memory is charged in batches, so the highest usage may stay a little below the limit. */
const PEAK_TOLERANCE_BYTES = MIB
const REMOVE_TRIES = 100
const REMOVE_DELAY_MS = 100

/** A resource that Linux limits for a group. */
export type LimitController = 'memory' | 'pids'

export interface GroupLimits {
  readonly memoryMib: number
  /** The limit of processes and threads together. */
  readonly tasks: number
}

/**
 * The control groups of Linux that limit one model, or one installation. See cgroups(7).
 *
 * The memory controller counts all memory, including memory that no process shows as its own, such as unmapped memfd
 * files, files in memory, System V segments, page tables and buffers of sockets. The pids controller refuses an extra
 * process or thread immediately: a fork bomb is faster than any scan of the process list.
 */
export interface LimitGroup {
  readonly limitsMemory: boolean
  /** Returns a program that joins the groups and then executes `program`. It fails if it cannot join. */
  enter(program: Program): Program
  /** The processes in the group, including those detached from their parent; empty without a group. */
  pids(): readonly number[]
  /** How many of its processes Linux has killed for lack of memory, and whether this group's own limit was the cause. */
  memoryKills(): { readonly count: number; readonly isOwnLimit: boolean }
  /** How many processes or threads this group's limit has refused. Limits of parent groups do not count. */
  refusedTasks(): number
  /** The highest number of processes and threads at once; 0 where Linux does not report it. */
  peakTasks(): number
  /** Call it once all processes have ended. */
  remove(): void
}

export interface LimitGroups {
  /** Why Linux cannot limit each resource here; null if it can. */
  readonly problems: Readonly<Record<LimitController, string | null>>
  /** The folders in which groups are created. A process that moves to another group below them loses its limits. */
  readonly homes: readonly string[]
  open(limits: GroupLimits): LimitGroup
}

/**
 * Detects which resources this machine can limit. `system` is the folder in which Linux describes a process; `without`
 * names resources not to limit, with the reason.
 */
export function openLimitGroups({
  system = '/proc/self',
  without = {},
}: {
  readonly system?: string
  readonly without?: Readonly<Partial<Record<LimitController, string>>>
} = {}): LimitGroups {
  const find = (controller: LimitController) => without[controller] ?? findHome(controller, system)
  const [memory, tasks] = [find('memory'), find('pids')]
  const homes = [...new Set([memory, tasks].flatMap((home) => (typeof home === 'string' ? [] : [home.path])))]
  let opened = 0
  return {
    problems: {
      memory: typeof memory === 'string' ? memory : null,
      pids: typeof tasks === 'string' ? tasks : null,
    },
    homes,
    open(limits) {
      opened += 1
      const name = `${PREFIX}${process.pid}-${opened}`
      const memoryPath = typeof memory === 'string' ? null : join(memory.path, name)
      const tasksPath = typeof tasks === 'string' ? null : join(tasks.path, name)
      return openGroup(memoryPath, tasksPath, limits)
    },
  }
}

function openGroup(memory: string | null, tasks: string | null, limits: GroupLimits): LimitGroup {
  const paths = [...new Set([memory, tasks].filter((path) => path !== null))]
  try {
    for (const path of paths) makeFolder(path)
    if (memory !== null) limitMemory(memory, limits.memoryMib * MIB)
    if (tasks !== null) limitTasks(tasks, limits.tasks)
  } catch (error) {
    for (const path of paths) removeGroup(path)
    throw error
  }
  return {
    limitsMemory: memory !== null,
    enter: (program) => enterGroups(paths, 'required', program),
    pids: () => readPids(paths[0]),
    memoryKills: () => countMemoryKills(memory, limits),
    refusedTasks: () => countRefusedTasks(tasks, limits),
    peakTasks: () => peakTasks(tasks),
    remove() {
      for (const path of paths) removeWhenEmpty(path)
    },
  }
}

/**
 * Linux counts a kill in the group of the killed process, even if the memory of the machine or of a parent group was full.
 * Version 2 also counts how often the group's own limit ran out; version 1 only keeps the highest usage.
 */
function countMemoryKills(folder: string | null, { memoryMib }: GroupLimits): ReturnType<LimitGroup['memoryKills']> {
  const count = readNumber(folder, ['memory.events', 'memory.oom_control'], /^oom_kill (\d+)$/m)
  const ownOoms = readNumber(folder, ['memory.events'], /^oom (\d+)$/m)
  const peakBytes = readNumber(folder, ['memory.memsw.max_usage_in_bytes', 'memory.max_usage_in_bytes'], /^(\d+)$/m)
  return { count, isOwnLimit: ownOoms > 0 || peakBytes >= memoryMib * MIB - PEAK_TOLERANCE_BYTES }
}

/** Before Linux 6.11 a group also counts tasks that a parent group refused; then its own peak is below its limit. */
function countRefusedTasks(folder: string | null, limits: GroupLimits): number {
  const peak = peakTasks(folder)
  if (peak > 0 && peak < limits.tasks) return 0
  return readNumber(folder, ['pids.events'], /^max (\d+)$/m)
}

function peakTasks(folder: string | null): number {
  return readNumber(folder, ['pids.peak'], /^(\d+)$/m)
}

/** The group may be gone with its last process. */
function readPids(path: string | undefined): readonly number[] {
  const file = path === undefined ? null : join(path, 'cgroup.procs')
  if (file === null || !existsSync(file)) return []
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number)
}

/** Reads a number from the first of these files that exists; 0 if the file does not contain it. */
function readNumber(folder: string | null, names: readonly string[], pattern: RegExp): number {
  if (folder === null) return 0
  const file = names.map((name) => join(folder, name)).find(existsSync)
  return file === undefined ? 0 : Number(pattern.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
}

/** A killed process leaves its group shortly after its parent sees its end. */
function removeWhenEmpty(path: string, triesLeft = REMOVE_TRIES): void {
  removeGroup(path)
  if (triesLeft > 0 && existsSync(path)) setTimeout(() => removeWhenEmpty(path, triesLeft - 1), REMOVE_DELAY_MS).unref()
}

/** Version 1 limits memory and swap together, version 2 separately. */
function limitMemory(path: string, bytes: number): void {
  if (write(path, 'memory.max', String(bytes))) {
    write(path, 'memory.swap.max', '0')
    write(path, 'memory.oom.group', '1')
    return
  }
  if (!write(path, 'memory.limit_in_bytes', String(bytes))) throw new Error(`${path} has no memory limit`)
  write(path, 'memory.memsw.limit_in_bytes', String(bytes))
}

function limitTasks(path: string, tasks: number): void {
  if (!write(path, 'pids.max', String(tasks))) throw new Error(`${path} has no process limit`)
}

/** False if the group has no such file. */
function write(path: string, file: string, text: string): boolean {
  if (!existsSync(join(path, file))) return false
  writeFileSync(join(path, file), text)
  return true
}

/** The folder below which groups with this controller can be created, or the reason why there is none. */
function findHome(controller: LimitController, system: string): { readonly path: string } | string {
  if (process.platform !== 'linux') return `${process.platform} has no control groups`
  try {
    const home = readOwnGroups(system).find(controller)
    if (home === null) return `no control group of ${controller} is mounted where this process could create its own`
    allowController(home, controller)
    removeStale(home)
    tryGroup(home, controller)
    return { path: home }
  } catch (error) {
    return errorText(error)
  }
}

function tryGroup(home: string, controller: LimitController): void {
  const path = join(home, `${PREFIX}${process.pid}-probe`)
  makeFolder(path)
  try {
    if (controller === 'memory') limitMemory(path, MIB)
    else limitTasks(path, 1)
  } finally {
    removeGroup(path)
  }
}

/** In version 2 a group can be limited only if its parent group enables the controller. */
function allowController(home: string, controller: LimitController): void {
  const file = join(home, 'cgroup.subtree_control')
  if (existsSync(file) && !readFileSync(file, 'utf8').split(/\s+/).includes(controller)) {
    writeFileSync(file, `+${controller}`)
  }
}

/** Removes the groups of orchestrators that were killed. */
function removeStale(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeGroup(join(home, name))
  }
}

/** Not `recursive`: on a read-only file system that would only report that the folder does not exist. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
