import { availableParallelism } from 'node:os'
import { OrchestratorError } from '../errors.ts'

/** The limits of one model. A model over a watched limit is killed, and the failure names the limit. */
export interface ModelLimits {
  /** Resident memory of all its processes together. */
  readonly memoryMib: number
  /** Processor time in cores, averaged over `cpuWindowMs`. */
  readonly cpuCores: number
  readonly cpuWindowMs: number
  /** Processes of the runner, its children, and the few small processes that confine it. */
  readonly processes: number
  /** Open files of each process. */
  readonly openFiles: number
  /** Size of the only folder it may write to, and of the largest file there. */
  readonly folderMib: number
}

export const DEFAULT_MODEL_LIMITS: ModelLimits = {
  memoryMib: 1_024,
  cpuCores: 1,
  cpuWindowMs: 60_000,
  processes: 64,
  openFiles: 1_024,
  folderMib: 64,
}

/** With lower limits no model could ever serve. */
const LOWEST: ModelLimits = {
  memoryMib: 128,
  cpuCores: 0.05,
  cpuWindowMs: 1_000,
  processes: 8,
  openFiles: 64,
  folderMib: 1,
}

/** Threads are cheap, and libraries start one per processor. */
const TASKS_PER_PROCESS = 8
const TASKS_PER_PROCESSOR = 4

/** The limit of processes and threads together, which keeps a fork bomb small until it is detected. */
export function taskLimit({ processes }: Pick<ModelLimits, 'processes'>): number {
  return processes * TASKS_PER_PROCESS + availableParallelism() * TASKS_PER_PROCESSOR
}

/** Fills in the defaults. Throws a `SETTINGS_INVALID` orchestrator error for a limit too low for any model. */
export function checkModelLimits(given: Partial<ModelLimits> = {}): ModelLimits {
  const limits = { ...DEFAULT_MODEL_LIMITS, ...given }
  for (const name of Object.keys(LOWEST) as (keyof ModelLimits)[]) {
    if (limits[name] >= LOWEST[name]) continue
    const text = `the limit ${name} of models is ${limits[name]}; give at least ${LOWEST[name]}`
    throw new OrchestratorError('SETTINGS_INVALID', text)
  }
  return limits
}
