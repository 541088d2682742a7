import { availableParallelism } from 'node:os'
import { OrchestratorError } from '../errors.ts'

/** What one model may use. A model over a limit that is watched is ended, with the limit as the reason. */
export interface ModelLimits {
  /** Resident memory of all its processes together. */
  readonly memoryMib: number
  /** Processor time, in cores, on the average of `cpuWindowMs`. */
  readonly cpuCores: number
  readonly cpuWindowMs: number
  /** The runner, what it starts, and the few small processes that confine it. */
  readonly processes: number
  /** Of each of its processes. */
  readonly openFiles: number
  /** The one folder it may write to, and the largest file there. */
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

/** Smaller ones would end every model before it serves. */
const LOWEST: ModelLimits = {
  memoryMib: 128,
  cpuCores: 0.05,
  cpuWindowMs: 1_000,
  processes: 8,
  openFiles: 64,
  folderMib: 1,
}

/** Threads are cheap, and libraries start one a processor. */
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
