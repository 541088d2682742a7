import { cpus } from 'node:os'
import { type BackgroundGroup, openBackgroundGroup } from './background-group.ts'
import { HOG_NICENESS, lowerPriority, MAY_RAISE, MODEL_NICENESS, START_NICENESS } from './lower-priority.ts'
import { errorText } from './orchestrator-error.ts'
import type { OrchestratorLog } from './orchestrator-log.ts'
import { coresSince, type Watched } from './watched-model.ts'

/** More of a core than this, for about a second, makes a model that serves a hog. */
const HOG_CORES = 0.5
/** The same where no core is idle, and for a hog until it has calmed down: even one that wants everything is given little there. */
const CALM_CORES = 0.1
const NEED_IDLE_SHARE = 0.15
const NEED_MS = 500
const HOG_MS = 1_000
/**
 * A model that starts, or has served for less than this, comes behind those that have shown what they take. A start that
 * takes longer must come to its end even on a machine that is never idle.
 */
const PROBATION_MS = 5_000

/** Decides who has to wait when several models want a processor. */
export interface ModelPlacement {
  /** How, in words. */
  readonly words: string
  /** Call it with all models whenever something about one of them may have changed. */
  place(models: Iterable<Watched>): void
  close(): void
}

export interface PlacementOptions {
  /** A group, or why there is none. */
  readonly background?: BackgroundGroup | string
  readonly probationMs?: number
  /** Whether no core is idle. */
  readonly isInNeed?: () => boolean
}

export function startPlacement(
  log: OrchestratorLog,
  { background = findBackground(), probationMs = PROBATION_MS, isInNeed = watchIdleTime() }: PlacementOptions = {},
): ModelPlacement {
  const group = typeof background === 'string' ? null : background
  let problem = ''

  function placeOne(model: Watched, niceness: number, isBehind: boolean): void {
    try {
      place(model, niceness, isBehind, group)
    } catch (error) {
      if (problem === errorText(error)) return
      problem = errorText(error)
      log.error('models that compute all the time cannot be held back', { reason: problem })
    }
  }

  return {
    words: `processors first to models that take little${wayText(background)}`,
    place(models) {
      const hogCores = isInNeed() ? CALM_CORES : HOG_CORES
      const wanted = [...models].map((model) => [model, nicenessOf(model, hogCores, probationMs)] as const)
      // Where nobody has to be made way for, a start takes all there is.
      const hasOthers = wanted.some(([{ isServing }, niceness]) => isServing && niceness === MODEL_NICENESS)
      for (const [model, niceness] of wanted) placeOne(model, niceness, hasOthers && niceness === HOG_NICENESS)
    },
    close: () => group?.close(),
  }
}

function wayText(background: BackgroundGroup | string): string {
  if (typeof background === 'string') return `, by priority only: ${background}`
  const { path, processors, allBecause } = background
  const where = processors === null ? `on all processors: ${allBecause}` : `on processors ${processors}`
  return `: the others wait in ${path}, ${where}`
}

function findBackground(): BackgroundGroup | string {
  return MAY_RAISE ? openBackgroundGroup() : 'only the superuser may take a process out of the background again'
}

/** Computing all the time is no failure, but the others' answers must not wait for it. */
function place(model: Watched, niceness: number, isBehind: boolean, background: BackgroundGroup | null): void {
  if (niceness !== model.niceness || isBehind !== model.isBehind) model.placed.clear()
  model.niceness = niceness
  model.isBehind = isBehind
  const pids = new Set([model.leaderPid, ...model.members.keys()])
  for (const pid of model.placed) if (!pids.has(pid)) model.placed.delete(pid)
  // Children that came before their parent was placed are found as members later.
  const unplaced = [...pids].filter((pid) => !model.placed.has(pid))
  // First, so that where the group fails, which is told and tried again, there is a priority at least.
  const lowered = new Set(unplaced.filter((pid) => lowerPriority(pid, niceness)))
  let failure: unknown
  for (const pid of unplaced) {
    try {
      background?.move(pid, isBehind ? 'in' : 'out')
      if (lowered.has(pid)) model.placed.add(pid)
    } catch (error) {
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
}

function nicenessOf(model: Watched, hogCores: number, probationMs: number): number {
  const isNew = performance.now() - model.sinceMs < probationMs
  if (!model.isServing) return isNew || !MAY_RAISE ? START_NICENESS : MODEL_NICENESS
  model.isHog = isHog(model, hogCores)
  return (isNew && MAY_RAISE) || model.isHog ? HOG_NICENESS : MODEL_NICENESS
}

/** Up to the last reading: what has been used since is not known. */
function isHog(model: Watched, hogCores: number): boolean {
  const cores = coresSince(model, model.samples.at(-1)?.atMs ?? 0, HOG_MS)
  // Whoever has to wait is given less, so that it takes less says nothing yet.
  return cores === null ? model.isHog : cores > (model.isHog ? CALM_CORES : hogCores)
}

/** Says whether the processors had hardly a pause lately. */
function watchIdleTime(): () => boolean {
  let before = { atMs: Number.NEGATIVE_INFINITY, idleMs: 0, allMs: 0 }
  let isBusy = false
  return () => {
    const atMs = performance.now()
    if (atMs - before.atMs < NEED_MS) return isBusy
    const times = cpus().map((core) => core.times)
    const idleMs = times.reduce((sum, { idle }) => sum + idle, 0)
    const allMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
    isBusy = idleMs - before.idleMs < NEED_IDLE_SHARE * (allMs - before.allMs)
    before = { atMs, idleMs, allMs }
    return isBusy
  }
}
