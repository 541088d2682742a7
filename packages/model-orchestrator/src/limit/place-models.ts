import { cpus } from 'node:os'
import { errorText } from '@crunch/local-processes/errors'
import type { OrchestratorLog } from '../log.ts'
import { type BackgroundGroup, openBackgroundGroup } from './background-group.ts'
import { HOG_NICENESS, lowerPriority, MAY_RAISE, MODEL_NICENESS, START_NICENESS } from './lower-priority.ts'
import type { Program } from './own-groups.ts'
import { coresLately, coresSince, type Watched } from './watched-model.ts'

/** More of a core than this, for about a second, makes a model that serves a hog. */
const HOG_CORES = 0.5
/**
 * The same where no core is idle, and for a hog until it has calmed down: it gets little CPU time there, however much
 * it asks for.
 */
const CALM_CORES = 0.1
/** The background group counts as full when its models use this share of its CPU time: each may want more. */
const FULL_SHARE = 0.8
/** In a full group a known hog is still one when it takes so much of an equal part. */
const KNOWN_HOG_PART = 0.5
/** In a full group a new model is a hog when it takes so much of all. */
const NEW_HOG_SHARE = 0.5
const NEED_IDLE_SHARE = 0.15
const NEED_MS = 500
const HOG_MS = 1_000
/**
 * A model that starts, or has served for less than this, comes after models whose usage is known. A longer start must
 * complete even on a machine that is never idle.
 */
const PROBATION_MS = 5_000

/** Decides who has to wait when several models want a processor. */
export interface ModelPlacement {
  /** How, in words. */
  readonly words: string
  /** The program of a model that is to be started beside these. */
  starting(program: Program, models: Iterable<Watched>): Program
  /** Call it with all models whenever something about one of them may have changed. */
  place(models: Iterable<Watched>): void
  close(): void
}

export interface PlacementOptions {
  /** A group, or why there is none. */
  readonly background?: BackgroundGroup | string
  /** Where models have groups that limit them. */
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

  function tellOnce(error: unknown): void {
    if (problem === errorText(error)) return
    problem = errorText(error)
    log.error('models that compute continuously cannot be held back', { reason: problem })
  }

  function placeOne(model: Watched, niceness: number, isBehind: boolean): void {
    try {
      place(model, niceness, isBehind, group)
    } catch (error) {
      tellOnce(error)
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
        tellOnce(error)
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

/** Others make way for it. Where there is no such model, a start takes all there is. */
function hasPriority({ isServing }: Watched, niceness: number): boolean {
  return isServing && niceness === MODEL_NICENESS
}

/** What makes a model a hog, in whole processors. */
interface HogLimits {
  readonly hogCores: number
  /** In the group, while it is full: for a model that has not been seen as a hog. */
  readonly newHogCores?: number
  /** In the group, while it is full or no core is idle: for one that has. */
  readonly knownHogCores?: number
}

function limitsBehind(models: readonly Watched[], group: BackgroundGroup, isInNeed: boolean): Partial<HogLimits> {
  const behind = models.filter(({ isBehind }) => isBehind)
  // One that came in just now may have taken more outside.
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

/** A process is in one group of a tree only: in version 2 a model that goes into the background would leave its limits. */
function unlessLimited(background: BackgroundGroup | string, limitHomes: readonly string[]): BackgroundGroup | string {
  if (typeof background === 'string' || !background.homes.some((home) => limitHomes.includes(home))) return background
  background.close()
  return 'the control groups that limit models are in the same tree'
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
  // First, so that at least the priority is set if the group fails, which is logged and retried.
  const lowered = new Set(unplaced.filter((pid) => lowerPriority(pid, niceness)))
  let failure: unknown
  for (const pid of unplaced) {
    try {
      background?.move(pid, isBehind ? 'in' : 'out')
      // Before the first reading it may not have gone into the group by itself yet.
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
  // A waiting model gets less CPU time, so that it uses less proves nothing yet.
  model.isHog = cores > (model.isHog ? CALM_CORES : hogCores)
  return model.isHog
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
