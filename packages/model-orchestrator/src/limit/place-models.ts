import { cpus } from 'node:os'
import { errorText } from '@crunch/local-processes/errors'
import type { OrchestratorLog } from '../log.ts'
import { type BackgroundGroup, openBackgroundGroup } from './background-group.ts'
import { HOG_NICENESS, lowerPriority, MAY_RAISE, MODEL_NICENESS, START_NICENESS } from './lower-priority.ts'
import type { Program } from './own-groups.ts'
import { coresLately, coresSince, type Watched } from './watched-model.ts'

/** A serving model that uses more than this for about a second is a hog (computes continuously). */
const HOG_CORES = 0.5
/**
 * The lower threshold where no core is idle, and for a known hog: such a model gets little CPU time even if it wants
 * more.
 */
const CALM_CORES = 0.1
/** The background group is full if its models use this share of its CPU time: each of them may want more. */
const FULL_SHARE = 0.8
/** In a full group a known hog stays a hog while it uses more than this fraction of an equal share. */
const KNOWN_HOG_PART = 0.5
/** In a full group a new model is a hog if it uses more than this fraction of all used CPU time. */
const NEW_HOG_SHARE = 0.5
const NEED_IDLE_SHARE = 0.15
const NEED_MS = 500
const HOG_MS = 1_000
/**
 * A model that starts, or has served for less than this, has lower priority than models whose usage is known. A start
 * that takes longer gets normal priority, so that it completes even on a machine that is never idle.
 */
const PROBATION_MS = 5_000

/** Decides which models run in the background when several want a processor. */
export interface ModelPlacement {
  /** The policy in force, as text. */
  readonly words: string
  /** Wraps the program of a new model so that it starts in the background, if one of `models` has priority. */
  starting(program: Program, models: Iterable<Watched>): Program
  /** Call it with all models after each reading and each change of one of them. */
  place(models: Iterable<Watched>): void
  close(): void
}

export interface PlacementOptions {
  /** The background group, or the reason why there is none. */
  readonly background?: BackgroundGroup | string
  /** The folders that contain the models' limit groups. */
  readonly limitHomes?: readonly string[]
  readonly probationMs?: number
  /** Whether no core is idle. */
  readonly isInNeed?: () => boolean
}

export function startPlacement(
  log: OrchestratorLog,
  {
    background: found = findBackground(),
    limitHomes = [],
    probationMs = PROBATION_MS,
    isInNeed = watchIdleTime(),
  }: PlacementOptions = {},
): ModelPlacement {
  const background = unlessLimited(found, limitHomes)
  const group = typeof background === 'string' ? null : background
  let problem = ''

  function logOnce(error: unknown): void {
    if (problem === errorText(error)) return
    problem = errorText(error)
    log.error('the CPU use of models that compute continuously cannot be reduced', { reason: problem })
  }

  function placeOne(model: Watched, niceness: number, isBehind: boolean): void {
    try {
      place(model, niceness, isBehind, group)
    } catch (error) {
      logOnce(error)
    }
  }

  return {
    words: `CPU time goes first to models that use little${wayText(background)}`,
    starting(program, models) {
      const hasOthers = [...models].some((model) => hasPriority(model, model.niceness))
      if (group === null || !hasOthers) return program
      try {
        return group.enter(program)
      } catch (error) {
        logOnce(error)
        return program
      }
    },
    place(models) {
      const all = [...models]
      const needs = isInNeed()
      const limits = { hogCores: needs ? CALM_CORES : HOG_CORES, ...(group && limitsBehind(all, group, needs)) }
      const wanted = all.map((model) => ({ model, niceness: nicenessOf(model, limits, probationMs) }))
      const hasOthers = wanted.some(({ model, niceness }) => hasPriority(model, niceness))
      for (const { model, niceness } of wanted) placeOne(model, niceness, hasOthers && niceness === HOG_NICENESS)
    },
    close: () => group?.close(),
  }
}

/** Whether other models must wait for this one. Without such a model, a start may use all CPU time. */
function hasPriority({ isServing }: Watched, niceness: number): boolean {
  return isServing && niceness === MODEL_NICENESS
}

/** The CPU usage above which a model is a hog (computes continuously), in processors. */
interface HogLimits {
  readonly hogCores: number
  /** The limit for a model that was not yet a hog, if the group is full. */
  readonly newHogCores?: number
  /** The limit for a known hog, if the group is full or no core is idle. */
  readonly knownHogCores?: number
}

function limitsBehind(models: readonly Watched[], group: BackgroundGroup, isInNeed: boolean): Partial<HogLimits> {
  const behind = models.filter(({ isBehind }) => isBehind)
  // A model that joined just now may have used more outside the group.
  const cores = Math.min(
    group.cores,
    behind.reduce((sum, model) => sum + coresLately(model, HOG_MS), 0),
  )
  const isFull = cores > FULL_SHARE * group.cores
  return {
    ...(isFull && { newHogCores: NEW_HOG_SHARE * cores }),
    ...((isFull || isInNeed) && { knownHogCores: (KNOWN_HOG_PART * cores) / behind.length }),
  }
}

function wayText(background: BackgroundGroup | string): string {
  if (typeof background === 'string') return `, by priority only: ${background}`
  const { path, processors, allBecause } = background
  const where = processors === null ? `on all processors: ${allBecause}` : `on processors ${processors}`
  return `: the others wait in ${path}, ${where}`
}

function findBackground(): BackgroundGroup | string {
  return MAY_RAISE ? openBackgroundGroup() : 'only the superuser may move a process out of the background'
}

/** A process is in only one group of a tree: in version 2 a model that moves to the background would lose its limits. */
function unlessLimited(background: BackgroundGroup | string, limitHomes: readonly string[]): BackgroundGroup | string {
  if (typeof background === 'string' || !background.homes.some((home) => limitHomes.includes(home))) return background
  background.close()
  return 'the control groups that limit models are in the same tree'
}

/** Applies priority and group to all processes of a model. Computing continuously is no failure, but must not delay other models. */
function place(model: Watched, niceness: number, isBehind: boolean, background: BackgroundGroup | null): void {
  if (niceness !== model.niceness || isBehind !== model.isBehind) model.placed.clear()
  model.niceness = niceness
  model.isBehind = isBehind
  const pids = new Set([model.leaderPid, ...model.members.keys()])
  for (const pid of model.placed) if (!pids.has(pid)) model.placed.delete(pid)
  // Children that were started before their parent was placed are found as members later.
  const unplaced = [...pids].filter((pid) => !model.placed.has(pid))
  // First, so that at least the priority is set if the group fails, which is logged and retried.
  const lowered = new Set(unplaced.filter((pid) => lowerPriority(pid, niceness)))
  let failure: unknown
  for (const pid of unplaced) {
    try {
      background?.move(pid, isBehind ? 'in' : 'out')
      // Before the first reading the process may not have joined the group by itself yet.
      if (lowered.has(pid) && model.samples.length > 1) model.placed.add(pid)
    } catch (error) {
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
}

function nicenessOf(model: Watched, limits: HogLimits, probationMs: number): number {
  const isNew = performance.now() - model.sinceMs < probationMs
  if (!model.isServing) return isNew || !MAY_RAISE ? START_NICENESS : MODEL_NICENESS
  const isHog = isAlwaysComputing(model, limits)
  return (isNew && MAY_RAISE) || isHog ? HOG_NICENESS : MODEL_NICENESS
}

function isAlwaysComputing(model: Watched, { hogCores, newHogCores, knownHogCores }: HogLimits): boolean {
  const cores = coresSince(model, HOG_MS)
  if (cores === null) return model.isHog
  if (model.isBehind && cores > ((model.isHog ? knownHogCores : newHogCores) ?? Number.POSITIVE_INFINITY)) return true
  // A model in the background gets less CPU time, so lower usage does not prove that it calmed down.
  model.isHog = cores > (model.isHog ? CALM_CORES : hogCores)
  return model.isHog
}

/** Returns a function that tells whether the processors were hardly idle recently. */
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
