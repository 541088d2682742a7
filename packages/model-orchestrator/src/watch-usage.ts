import type { Program } from './background-group.ts'
import { lowerPriority, MODEL_NICENESS } from './lower-priority.ts'
import type { ModelLimits } from './model-limits.ts'
import { errorText } from './orchestrator-error.ts'
import type { OrchestratorLog } from './orchestrator-log.ts'
import { type PlacementOptions, startPlacement } from './place-models.ts'
import { openProcessTable, type ProcessTable } from './process-table.ts'
import { addSample, coresSince, createWatched, findMembers, type Watched } from './watched-model.ts'

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
  /** How a model's first process is to be started now, so that it gives way from its first moment on. */
  starting(program: Program): Program
  /** `onOver` is told once which limit was passed; the model's processes are killed right after. */
  watch(leaderPid: number, onOver: (reason: string) => void): WatchedModel
  close(): void
}

export interface UsageWatchOptions extends PlacementOptions {
  readonly table?: ProcessTable | null
}

/** Starts to watch; where processes cannot be read (Windows), `words` says that nothing is. */
export function startUsageWatch(
  limits: ModelLimits,
  log: OrchestratorLog,
  { table = openProcessTable(), ...placing }: UsageWatchOptions = {},
): UsageWatch {
  if (table === null) return watchNothing()
  const models = new Set<Watched>()
  let timer: NodeJS.Timeout | null = null
  let problem = ''
  const placement = startPlacement(log, placing)

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
      placement.place(models)
      problem = ''
    } catch (error) {
      if (problem !== errorText(error)) log.error('usage of models cannot be read', { reason: errorText(error) })
      problem = errorText(error)
    }
    timer = null
    schedule()
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
      placement.words,
    ],
    starting: (program) => placement.starting(program, models),
    watch(leaderPid, onOver) {
      const model = createWatched(leaderPid, onOver)
      models.add(model)
      placement.place(models)
      schedule()
      return {
        setServing() {
          model.isServing = true
          model.sinceMs = performance.now()
          model.isHog = false
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
      placement.close()
    },
  }
}

function watchNothing(): UsageWatch {
  return {
    words: ['memory, CPU time and processes not limited: this system does not show what a process uses'],
    starting: (program) => program,
    watch(leaderPid) {
      lowerPriority(leaderPid, MODEL_NICENESS)
      return { setServing: () => undefined, end: async () => undefined }
    },
    close: () => undefined,
  }
}

function findOver(models: readonly Watched[], limits: ModelLimits): (readonly [Watched, string])[] {
  const atMs = performance.now()
  return models.flatMap((model) => {
    addSample(model, atMs, limits.cpuWindowMs)
    const reason = model.isOver ? null : describeOver(model, limits)
    return reason === null ? [] : [[model, reason] as const]
  })
}

function describeOver(model: Watched, limits: ModelLimits): string | null {
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
  const cores = coresSince(model, limits.cpuWindowMs)
  if (cores === null || cores <= limits.cpuCores) return null
  const average = `${cores.toFixed(2)} cores of CPU time on the average of ${limits.cpuWindowMs / 1_000} s`
  return `used ${average}, over its limit of ${limits.cpuCores}; compute less, or raise MODEL_CPU_CORES`
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
