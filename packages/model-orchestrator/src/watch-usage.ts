import { cpus } from 'node:os'
import { type BackgroundGroup, openBackgroundGroup } from './background-group.ts'
import { HOG_NICENESS, lowerPriority, MAY_RAISE, MODEL_NICENESS, START_NICENESS } from './lower-priority.ts'
import type { ModelLimits } from './model-limits.ts'
import { errorText } from './orchestrator-error.ts'
import type { OrchestratorLog } from './orchestrator-log.ts'
import { openProcessTable, type ProcessTable, type ProcessUsage } from './process-table.ts'

/** More of a core than this, for about a second, makes a model that serves a hog. */
const HOG_CORES = 0.5
/** The same where no core is idle: there even one that wants everything is given little. */
const HOG_CORES_IN_NEED = 0.1
const NEED_IDLE_SHARE = 0.15
const HOG_MS = 1_000
/**
 * A model that starts, or has served for less than this, comes behind those that have shown what they take. A start that
 * takes longer must come to its end even on a machine that is never idle.
 */
const PROBATION_MS = 5_000
const MIB = 1024 * 1024
/** A fork bomb grows while it is being killed, so it is looked for again at once, up to this often. */
const MAX_SWEEPS = 20

/** One model's processes, watched from the moment its first one was started. */
export interface WatchedModel {
  /** From now on a hog has to wait for the other models; a start may take all it can get. */
  setServing(): void
  /** Call it when the first process has ended: kills what is left of the others and watches no more. */
  end(): Promise<void>
}

/** Watches all models with one timer. */
export interface UsageWatch {
  /** What is watched, and what can't be, in words. */
  readonly words: readonly string[]
  /** `onOver` is told once which limit was passed; the model's processes are killed right after. */
  watch(leaderPid: number, onOver: (reason: string) => void): WatchedModel
  close(): void
}

interface Watched {
  readonly leaderPid: number
  readonly onOver: (reason: string) => void
  members: ReadonlyMap<number, ProcessUsage>
  /** Processor time of all members, at the last reading. */
  seenCpuMs: number
  /** Used until then, those that are gone included. */
  usedCpuMs: number
  readonly samples: { readonly atMs: number; readonly usedCpuMs: number }[]
  isServing: boolean
  /** Of its start, then of its service. */
  sinceMs: number
  isOver: boolean
  niceness: number
  isNicenessSet: boolean
}

/** Starts to watch; where processes cannot be read (Windows), `words` says that nothing is. */
export function startUsageWatch(
  limits: ModelLimits,
  log: OrchestratorLog,
  { table = openProcessTable(), background = findBackground() } = {},
): UsageWatch {
  if (table === null) return watchNothing()
  const models = new Set<Watched>()
  let timer: NodeJS.Timeout | null = null
  let problem = ''
  const group = typeof background === 'string' ? null : background
  let groupProblem = ''
  const isInNeed = watchIdleTime()

  function schedule(): void {
    if (timer !== null || models.size === 0) return
    timer = setTimeout(look, table?.intervalMs)
    timer.unref()
  }

  async function look(): Promise<void> {
    try {
      const over = findOver(await update(), limits)
      for (const [model, reason] of over) {
        model.isOver = true
        model.onOver(reason)
      }
      if (over.length > 0) await kill(over.map(([model]) => model))
      const hogCores = isInNeed() ? HOG_CORES_IN_NEED : HOG_CORES
      for (const model of models) adjust(model, hogCores)
      problem = ''
    } catch (error) {
      if (problem !== errorText(error)) log.error('usage of models cannot be read', { reason: errorText(error) })
      problem = errorText(error)
    }
    timer = null
    schedule()
  }

  function adjust(model: Watched, hogCores: number): void {
    try {
      adjustPriority(model, hogCores, group)
    } catch (error) {
      if (groupProblem === errorText(error)) return
      groupProblem = errorText(error)
      log.error('models that compute all the time cannot be held back', { reason: groupProblem })
    }
  }

  async function update(): Promise<readonly Watched[]> {
    const { read, setForeign } = table as ProcessTable
    const processes = await read()
    const watched = [...models]
    const ours = new Set<number>()
    for (const model of watched) {
      model.members = findMembers(model, processes)
      for (const pid of model.members.keys()) ours.add(pid)
    }
    // Children of our own may be watched a moment later.
    setForeign(processes.filter((one) => !ours.has(one.pid) && one.parentPid !== process.pid).map(({ pid }) => pid))
    return watched
  }

  /** All are held still before the first is killed: the children of a dead parent could not be told from strangers. */
  async function kill(doomed: readonly Watched[]): Promise<void> {
    const alive = () => doomed.flatMap(({ members }) => [...members.values()].filter(({ isZombie }) => !isZombie))
    for (let sweep = 0, held = 0; sweep < MAX_SWEEPS && alive().length > held; sweep += 1) {
      held = alive().length
      for (const { pid } of alive()) signalOne(pid, 'SIGSTOP')
      await update()
    }
    for (let sweep = 0; sweep < MAX_SWEEPS && alive().length > 0; sweep += 1) {
      for (const { pid } of alive()) signalOne(pid, 'SIGKILL')
      await update()
    }
  }

  return {
    words: [
      `memory ${limits.memoryMib} MiB`,
      `CPU time ${limits.cpuCores} ${limits.cpuCores === 1 ? 'core' : 'cores'} (average of ${limits.cpuWindowMs / 1_000} s)`,
      `${limits.processes} processes`,
      typeof background === 'string'
        ? `processors first to models that take little, by priority only: ${background}`
        : `processors first to models that take little: the others wait in ${background.path}`,
    ],
    watch(leaderPid, onOver) {
      const model = createWatched(leaderPid, onOver)
      models.add(model)
      adjust(model, HOG_CORES)
      // It may have had children before that: the next look finds them.
      model.isNicenessSet = false
      schedule()
      return {
        setServing() {
          model.isServing = true
          model.sinceMs = performance.now()
          model.samples.length = 0
        },
        async end() {
          if (!models.has(model)) return
          try {
            await update()
            await kill([model])
          } catch (error) {
            log.error('what a model left running cannot be found', { leaderPid, reason: errorText(error) })
          }
          models.delete(model)
        },
      }
    },
    close() {
      if (timer !== null) clearTimeout(timer)
      models.clear()
      group?.close()
    },
  }
}

function watchNothing(): UsageWatch {
  return {
    words: ['memory, CPU time and processes not limited: this system does not show what a process uses'],
    watch(leaderPid) {
      lowerPriority(leaderPid, MODEL_NICENESS)
      return { setServing: () => undefined, end: async () => undefined }
    },
    close: () => undefined,
  }
}

function createWatched(leaderPid: number, onOver: (reason: string) => void): Watched {
  return {
    leaderPid,
    onOver,
    members: new Map(),
    seenCpuMs: 0,
    usedCpuMs: 0,
    samples: [],
    isServing: false,
    sinceMs: performance.now(),
    isOver: false,
    niceness: START_NICENESS,
    isNicenessSet: false,
  }
}

/** The leader, the groups of its members, all that descend from a member, and members from before that lost their parent. */
function findMembers(model: Watched, processes: readonly ProcessUsage[]): ReadonlyMap<number, ProcessUsage> {
  const members = new Map<number, ProcessUsage>()
  const children = new Map<number, ProcessUsage[]>()
  for (const one of processes) {
    const siblings = children.get(one.parentPid)
    if (siblings === undefined) children.set(one.parentPid, [one])
    else siblings.push(one)
  }
  const add = (one: ProcessUsage): void => {
    const open = [one]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (members.has(next.pid) || next.pid === process.pid) continue
      members.set(next.pid, next)
      open.push(...(children.get(next.pid) ?? []))
    }
  }
  const groups = new Set([model.leaderPid, ...[...model.members.values()].map(({ groupId }) => groupId)])
  for (const one of processes) {
    const isKnown = model.members.get(one.pid)?.startedAt === one.startedAt
    if (isKnown || one.pid === model.leaderPid || groups.has(one.groupId)) add(one)
  }
  return members
}

function findOver(models: readonly Watched[], limits: ModelLimits): (readonly [Watched, string])[] {
  const atMs = performance.now()
  return models.flatMap((model) => {
    addSample(model, atMs, limits.cpuWindowMs)
    const reason = model.isOver ? null : describeOver(model, atMs, limits)
    return reason === null ? [] : [[model, reason] as const]
  })
}

function addSample(model: Watched, atMs: number, windowMs: number): void {
  let cpuMs = 0
  for (const one of model.members.values()) cpuMs += one.cpuMs
  // Less than before: processes have ended whose parents did not want to know of it.
  model.usedCpuMs += Math.max(0, cpuMs - model.seenCpuMs)
  model.seenCpuMs = cpuMs
  const { samples, usedCpuMs } = model
  samples.push({ atMs, usedCpuMs })
  // The newest one that is a whole window old stays, as the other end of the average.
  while ((samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs - windowMs) samples.shift()
}

function describeOver(model: Watched, atMs: number, limits: ModelLimits): string | null {
  let residentBytes = 0
  let processes = 0
  for (const one of model.members.values()) {
    if (one.isZombie) continue
    residentBytes += one.residentBytes
    processes += 1
  }
  if (processes > limits.processes) {
    return `ran ${processes} processes, over its limit of ${limits.processes}; start fewer, or raise MODEL_PROCESSES`
  }
  if (residentBytes > limits.memoryMib * MIB) {
    const used = Math.round(residentBytes / MIB)
    return `used ${used} MiB of memory, over its limit of ${limits.memoryMib} MiB; use less, or raise MODEL_MEMORY_MEBIBYTES`
  }
  const cores = coresSince(model, atMs, limits.cpuWindowMs)
  if (cores === null || cores <= limits.cpuCores) return null
  const average = `${cores.toFixed(2)} cores of CPU time on the average of ${limits.cpuWindowMs / 1_000} s`
  return `used ${average}, over its limit of ${limits.cpuCores}; compute less, or raise MODEL_CPU_CORES`
}

/** Null while there are not that many milliseconds to look back on. */
function coresSince(model: Watched, atMs: number, spanMs: number): number | null {
  const first = model.samples.findLast((sample) => sample.atMs <= atMs - spanMs)
  return first === undefined ? null : (model.usedCpuMs - first.usedCpuMs) / (atMs - first.atMs)
}

/** Says whether the processors had hardly a pause since it was asked last. */
function watchIdleTime(): () => boolean {
  let before = { idleMs: 0, allMs: 0 }
  return () => {
    const times = cpus().map((core) => core.times)
    const idleMs = times.reduce((sum, { idle }) => sum + idle, 0)
    const allMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
    const isBusy = idleMs - before.idleMs < NEED_IDLE_SHARE * (allMs - before.allMs)
    before = { idleMs, allMs }
    return isBusy
  }
}

function findBackground(): BackgroundGroup | string {
  return MAY_RAISE ? openBackgroundGroup() : 'only the superuser may take a process out of the background again'
}

/** Computing all the time is no failure, but the others' answers must not wait for it. */
function adjustPriority(model: Watched, hogCores: number, background: BackgroundGroup | null): void {
  const niceness = nicenessOf(model, hogCores)
  if (niceness !== model.niceness) model.isNicenessSet = false
  model.niceness = niceness
  if (model.isNicenessSet) return
  const pids = [...new Set([model.leaderPid, ...model.members.keys()])]
  // First, so that where the group fails, which is told and tried again, there is a priority at least.
  const isLowered = pids.map((pid) => lowerPriority(pid, niceness)).every(Boolean)
  for (const pid of pids) background?.move(pid, niceness === HOG_NICENESS ? 'in' : 'out')
  model.isNicenessSet = isLowered
}

function nicenessOf(model: Watched, hogCores: number): number {
  const now = performance.now()
  const isNew = now - model.sinceMs < PROBATION_MS
  if (!model.isServing) return isNew || !MAY_RAISE ? START_NICENESS : MODEL_NICENESS
  const cores = coresSince(model, now, HOG_MS)
  return (isNew && MAY_RAISE) || (cores !== null && cores > hogCores) ? HOG_NICENESS : MODEL_NICENESS
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended meanwhile, or became another user's, which only the superuser can bring about.
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
