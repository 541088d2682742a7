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
/** Files in memory are looked for at every third reading: there may be hundreds of open files to look at. */
const READS_BETWEEN_SHARED = 2

/** One model's processes, watched from the moment its first one was started. */
export interface WatchedModel {
  /** From now on a hog has to wait for the other models; a start may take all it can get. */
  setServing(): void
  /** How long its process that waited most has waited for a processor until now. */
  waitedMs(): number
  /** Which limit Linux has enforced by itself; null when none. Ask when the first process has ended. */
  overByItself(): string | null
  /** True if Linux has killed processes of it because the machine, or a group above its own, had no memory left. */
  wasKilledForOthers(): boolean
  /** Call it when the first process has ended: kills the remaining ones and stops watching. */
  end(): Promise<void>
}

/** A program with the limits that it is started under. */
export interface LimitedProgram extends Program {
  readonly limits: ModelLimits
  readonly group: LimitGroup
  /** False: it is an installer, which has the priority of this process. */
  readonly isModel: boolean
}

/** Watches all models with one timer. */
export interface UsageWatch {
  /** What is watched, and what can't be, in words. */
  readonly words: readonly string[]
  /**
   * How to start a first process so that it is limited from its first moment. A model also gets a lower priority; a
   * process with its own limits is an installer.
   */
  starting(program: Program, limits?: ModelLimits): LimitedProgram
  /** `onOver` is called once with the exceeded limit; the model's processes are then killed. */
  watch(leaderPid: number, onOver: (reason: string) => void, program: LimitedProgram): WatchedModel
  close(): void
}

export interface UsageWatchOptions extends PlacementOptions {
  readonly table?: ProcessTable | null
  /** What Linux limits by itself. */
  readonly groups?: LimitGroups
}

/** Starts to watch; where processes cannot be read (Windows), `words` says that nothing is limited. */
export function startUsageWatch(
  limits: ModelLimits,
  log: OrchestratorLog,
  { table = openProcessTable(), groups = openLimitGroups(), ...placing }: UsageWatchOptions = {},
): UsageWatch {
  if (table === null) return watchNothing(limits)
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
      if (problem !== errorText(error)) log.error('usage of models cannot be read', { reason: errorText(error) })
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
          log.error('processes that a model left running cannot be found', { leaderPid, reason: errorText(error) })
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

function watchNothing(limits: ModelLimits): UsageWatch {
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
 * What Linux refused it, or killed it for. A fork bomb may reach the memory limit first: then its size is reported too.
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

/** Shared memory is counted once, which is more work; so the first estimate assumes that nothing is shared. */
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
