import { errorText } from '@crunch/local-processes/errors'
import type { OrchestratorLog } from '../log.ts'
import { openProcessTable, type ProcessTable, type ProcessUsage } from '../process/process-table.ts'
import { countPrivateBytes, countSharedBytes } from './count-memory.ts'
import { type LimitGroup, type LimitGroups, openLimitGroups } from './limit-groups.ts'
import { readWaitedMs } from './limit-start.ts'
import { lowerPriority, MODEL_NICENESS } from './lower-priority.ts'
import { type ModelLimits, taskLimit } from './model-limits.ts'
import type { Program } from './own-groups.ts'
import { type PlacementOptions, startPlacement } from './place-models.ts'
import { trackMembers } from './track-members.ts'
import { addSample, coresSince, createWatched, type Watched } from './watched-model.ts'

const MIB = 1024 * 1024
/** Files in memory are counted at every third reading: there may be hundreds of open files to inspect. */
const READS_BETWEEN_SHARED = 2

/** The watched processes of one model. */
export interface WatchedModel {
  /** Call it when the model serves: its CPU usage from here on decides whether it is a hog. */
  setServing(): void
  /** The longest time that one of its processes has waited for a processor so far. */
  waitedMs(): number
  /** The limit that Linux has enforced by itself; null if none. Read it after the first process has ended. */
  overByItself(): string | null
  /** Whether Linux has killed its processes because the machine or a parent group was out of memory. */
  wasKilledForOthers(): boolean
  /** Call it after the first process has ended: kills the remaining ones and stops watching. */
  end(): Promise<void>
}

/** A program with its limits. */
export interface LimitedProgram extends Program {
  readonly limits: ModelLimits
  readonly group: LimitGroup
  /** False for an installer, which has the priority of this process. */
  readonly isModel: boolean
}

/** Watches all models with one timer. */
export interface UsageWatch {
  /** The limits that are watched and those that cannot be, as text. */
  readonly words: readonly string[]
  /**
   * Wraps the program of a first process so that its limits apply from the start. A program with `own` limits is an
   * installer; any other is a model and also gets a lower priority.
   */
  starting(program: Program, limits?: ModelLimits): LimitedProgram
  /** `onOver` is called once with the exceeded limit; the model's processes are then killed. */
  watch(leaderPid: number, onOver: (reason: string) => void, program: LimitedProgram): WatchedModel
  close(): void
}

export interface UsageWatchOptions extends PlacementOptions {
  readonly table?: ProcessTable | null
  /** The control groups that let Linux enforce limits. */
  readonly groups?: LimitGroups
}

/** Starts the watch. Where processes cannot be read (Windows), nothing is limited, and `words` says so. */
export function startUsageWatch(
  limits: ModelLimits,
  log: OrchestratorLog,
  { table = openProcessTable(), groups = openLimitGroups(), ...placing }: UsageWatchOptions = {},
): UsageWatch {
  if (table === null) return unmeasuredUsage(limits)
  const models = new Set<Watched>()
  let timer: NodeJS.Timeout | null = null
  let problem = ''
  const members = trackMembers(table, models)
  const placement = startPlacement(log, { limitHomes: groups.homes, ...placing })

  function schedule(): void {
    if (timer !== null || models.size === 0) return
    timer = setTimeout(look, table?.intervalMs)
    timer.unref()
  }

  const place = () => placement.place([...models].filter(({ isModel }) => isModel))

  async function look(): Promise<void> {
    try {
      const over = findOver(await members.update())
      for (const [model, reason] of over) {
        model.isOver = true
        model.onOver(reason)
      }
      if (over.length > 0) await members.kill(over.map(([model]) => model))
      place()
      problem = ''
    } catch (error) {
      if (problem !== errorText(error)) log.error('cannot read the usage of models', { reason: errorText(error) })
      problem = errorText(error)
    }
    timer = null
    schedule()
  }

  return {
    words: [...describeLimits(limits, groups), placement.words],
    starting(program, own) {
      const { memoryMib } = own ?? limits
      const group = groups.open({ memoryMib, tasks: taskLimit(own ?? limits) })
      const placed = own === undefined ? placement.starting(program, models) : program
      return { ...group.enter(placed), limits: own ?? limits, group, isModel: own === undefined }
    },
    watch(leaderPid, onOver, { limits: own, group, isModel }) {
      const model = createWatched({ leaderPid, onOver, limits: own, group, isModel })
      models.add(model)
      place()
      schedule()
      return handleOf(model, async () => {
        if (!models.has(model)) return
        try {
          await members.update()
          await members.kill([model])
        } catch (error) {
          log.error('cannot find the processes that a model left running', { leaderPid, reason: errorText(error) })
        }
        models.delete(model)
        group.remove()
      })
    },
    close() {
      if (timer !== null) clearTimeout(timer)
      models.clear()
      placement.close()
    },
  }
}

function handleOf(model: Watched, end: () => Promise<void>): WatchedModel {
  return {
    setServing() {
      model.isServing = true
      model.sinceMs = performance.now()
      model.isHog = false
    },
    waitedMs: () => Math.max(...[model.leaderPid, ...model.members.keys(), ...model.group.pids()].map(readWaitedMs)),
    overByItself: () => describeEnforced(model),
    wasKilledForOthers() {
      const { count, isOwnLimit } = model.group.memoryKills()
      return count > 0 && !isOwnLimit
    },
    end,
  }
}

function unmeasuredUsage(limits: ModelLimits): UsageWatch {
  const groups = openLimitGroups()
  return {
    words: ['memory, CPU time and processes not limited: this system does not show what a process uses'],
    starting(program, own) {
      const { memoryMib } = own ?? limits
      const group = groups.open({ memoryMib, tasks: taskLimit(own ?? limits) })
      return { ...program, limits: own ?? limits, group, isModel: own === undefined }
    },
    watch(leaderPid, _, { isModel }) {
      if (isModel) lowerPriority(leaderPid, MODEL_NICENESS)
      return {
        setServing: () => undefined,
        waitedMs: () => 0,
        overByItself: () => null,
        wasKilledForOthers: () => false,
        end: async () => undefined,
      }
    },
    close: () => undefined,
  }
}

function describeLimits(limits: ModelLimits, { problems }: LimitGroups): readonly string[] {
  const { memoryMib, cpuCores, cpuWindowMs, processes } = limits
  return [
    `memory ${memoryMib} MiB${countedText(problems.memory)}`,
    `CPU time ${cpuCores} ${cpuCores === 1 ? 'core' : 'cores'} (average of ${cpuWindowMs / 1_000} s)`,
    problems.pids === null
      ? `${processes} processes, ${taskLimit(limits)} with their threads`
      : `${processes} processes${countedText(problems.pids)}`,
  ]
}

function countedText(problem: string | null): string {
  return problem === null ? '' : `, sampled periodically: ${problem}`
}

function findOver(models: readonly Watched[]): (readonly [Watched, string])[] {
  const atMs = performance.now()
  return models.flatMap((model) => {
    addSample(model, atMs, model.limits.cpuWindowMs)
    const reason = model.isOver ? null : describeOver(model)
    return reason === null ? [] : [[model, reason] as const]
  })
}

function describeOver(model: Watched): string | null {
  const { limits } = model
  const alive = [...model.members.values()].filter(({ isZombie }) => !isZombie)
  if (alive.length > limits.processes) {
    return `ran ${alive.length} processes, over its limit of ${limits.processes}; start fewer, or raise MODEL_PROCESSES`
  }
  const other = describeEnforced(model) ?? describeMemory(model, alive)
  if (other !== null) return other
  const cores = coresSince(model, limits.cpuWindowMs)
  if (cores === null || cores <= limits.cpuCores) return null
  const average = `${cores.toFixed(2)} cores of CPU time, averaged over ${limits.cpuWindowMs / 1_000} s`
  return `used ${average}, over its limit of ${limits.cpuCores}; compute less, or raise MODEL_CPU_CORES`
}

/**
 * The limit that Linux enforced. A fork bomb may reach the memory limit first: then the number of its processes is reported too.
 */
function describeEnforced({ group, limits }: Watched): string | null {
  const { memoryMib, processes } = limits
  if (group.refusedTasks() > 0) {
    const limit = `${taskLimit(limits)} processes and threads`
    return `wanted more than ${limit} at once, over its limit of ${limit}; start fewer, or raise MODEL_PROCESSES`
  }
  const { count, isOwnLimit } = group.memoryKills()
  if (count === 0 || !isOwnLimit) return null
  const tasks = group.peakTasks()
  const holders = tasks > processes ? ` for up to ${tasks} processes and threads` : ''
  return `needed more than ${memoryMib} MiB of memory${holders}, over its limit of ${memoryMib} MiB; use less, or raise MODEL_MEMORY_MEBIBYTES`
}

/** Counting shared memory once is more work, so the first estimate assumes that no memory is shared. */
function describeMemory(model: Watched, alive: readonly ProcessUsage[]): string | null {
  const { limits } = model
  if (model.group.limitsMemory) return null
  const limitBytes = limits.memoryMib * MIB
  const residentBytes = alive.reduce((sum, one) => sum + one.residentBytes, 0)
  model.readsUntilShared -= 1
  if (model.readsUntilShared < 0) {
    model.sharedBytes = countSharedBytes(alive)
    model.readsUntilShared = READS_BETWEEN_SHARED
  }
  if (residentBytes + model.sharedBytes <= limitBytes) return null
  const privateBytes = countPrivateBytes(alive)
  const used = privateBytes === null ? residentBytes : privateBytes + model.sharedBytes
  if (used <= limitBytes) return null
  return `used ${Math.round(used / MIB)} MiB of memory, over its limit of ${limits.memoryMib} MiB; use less, or raise MODEL_MEMORY_MEBIBYTES`
}
