import type { ProcessUsage } from '../process/process-table.ts'
import type { LimitGroup } from './limit-groups.ts'
import { START_NICENESS } from './lower-priority.ts'
import type { ModelLimits } from './model-limits.ts'

/** What had been used at one reading. */
interface Sample {
  readonly atMs: number
  readonly usedCpuMs: number
}

/** One model's processes, and what they have used. */
export interface Watched {
  readonly leaderPid: number
  readonly onOver: (reason: string) => void
  readonly limits: ModelLimits
  readonly group: LimitGroup
  /** False for an installer. */
  readonly isModel: boolean
  /** What it held in files in memory when they were last looked at, and the readings until they are again. */
  sharedBytes: number
  readsUntilShared: number
  members: ReadonlyMap<number, ProcessUsage>
  /** Processor time of all members, at the last reading. */
  seenCpuMs: number
  /** Used until then, those that are gone included. */
  usedCpuMs: number
  readonly samples: Sample[]
  isServing: boolean
  /** Of its start, then of its service. */
  sinceMs: number
  isOver: boolean
  /** It computes all the time while it serves, as was seen when it could. */
  isHog: boolean
  niceness: number
  /** In the background group, where there is one. */
  isBehind: boolean
  /** The processes for which both are in force. */
  readonly placed: Set<number>
}

export function createWatched(given: Pick<Watched, 'leaderPid' | 'onOver' | 'limits' | 'group' | 'isModel'>): Watched {
  const nowMs = performance.now()
  return {
    ...given,
    sharedBytes: 0,
    readsUntilShared: 0,
    members: new Map(),
    seenCpuMs: 0,
    usedCpuMs: 0,
    samples: [{ atMs: nowMs, usedCpuMs: 0 }],
    isServing: false,
    sinceMs: nowMs,
    isOver: false,
    isHog: false,
    niceness: START_NICENESS,
    isBehind: false,
    placed: new Set(),
  }
}

/**
 * The leader, what is in its control group, the groups of its members, all that descend from a member, and members from before
 * that lost their parent.
 */
export function findMembers(model: Watched, processes: readonly ProcessUsage[]): ReadonlyMap<number, ProcessUsage> {
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
  const grouped = new Set(model.group.pids())
  for (const one of processes) {
    const isKnown = model.members.get(one.pid)?.startedAt === one.startedAt
    if (isKnown || one.pid === model.leaderPid || grouped.has(one.pid) || groups.has(one.groupId)) add(one)
  }
  return members
}

/** Call it after each reading of the members. */
export function addSample(model: Watched, atMs: number, windowMs: number): void {
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

/** Null while it has not served, or not started, for that many milliseconds before the last reading. */
export function coresSince(model: Watched, spanMs: number): number | null {
  const first = model.samples.findLast(({ atMs }) => atMs <= readAtMs(model) - spanMs)
  return first === undefined || first.atMs < model.sinceMs ? null : coresAfter(model, first)
}

/** The same over what there is to look back on, a start included. */
export function coresLately(model: Watched, spanMs: number): number {
  const first = model.samples.findLast(({ atMs }) => atMs <= readAtMs(model) - spanMs) ?? model.samples[0]
  return first === undefined || first.atMs === readAtMs(model) ? 0 : coresAfter(model, first)
}

function coresAfter(model: Watched, first: Sample): number {
  return (model.usedCpuMs - first.usedCpuMs) / (readAtMs(model) - first.atMs)
}

/** What has been used since is not known. */
function readAtMs({ samples }: Watched): number {
  return samples.at(-1)?.atMs ?? 0
}
