import type { ProcessUsage } from '../process/process-table.ts'
import type { LimitGroup } from './limit-groups.ts'
import { START_NICENESS } from './lower-priority.ts'
import type { ModelLimits } from './model-limits.ts'

/** The CPU time used up to one reading. */
interface Sample {
  readonly atMs: number
  readonly usedCpuMs: number
}

/** The processes of one model and their usage. */
export interface Watched {
  readonly leaderPid: number
  readonly onOver: (reason: string) => void
  readonly limits: ModelLimits
  readonly group: LimitGroup
  /** False for an installer. */
  readonly isModel: boolean
  /** Files in memory at the last count, and the number of readings until the next count. */
  sharedBytes: number
  readsUntilShared: number
  members: ReadonlyMap<number, ProcessUsage>
  /** CPU time of the current members at the last reading. */
  seenCpuMs: number
  /** CPU time of all members until then, including ended ones. */
  usedCpuMs: number
  readonly samples: Sample[]
  isServing: boolean
  /** When the start began; after that, when serving began. */
  sinceMs: number
  isOver: boolean
  /** Whether it computed continuously when it last had the CPU time to. */
  isHog: boolean
  niceness: number
  /** Whether it is in the background group. */
  isBehind: boolean
  /** The processes that have this niceness and group. */
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
 * The leader, the processes of its control group and of its members' process groups, all their descendants, and earlier
 * members that lost their parent.
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
  // The sum decreases if a process ended whose parent did not wait for it.
  model.usedCpuMs += Math.max(0, cpuMs - model.seenCpuMs)
  model.seenCpuMs = cpuMs
  const { samples, usedCpuMs } = model
  samples.push({ atMs, usedCpuMs })
  // Keeps the newest sample that is at least a window old, as the start of the average.
  while ((samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs - windowMs) samples.shift()
}

/** Cores used in the last `spanMs`; null until the model has been starting, or serving, for that long. */
export function coresSince(model: Watched, spanMs: number): number | null {
  const first = model.samples.findLast(({ atMs }) => atMs <= readAtMs(model) - spanMs)
  return first === undefined || first.atMs < model.sinceMs ? null : coresAfter(model, first)
}

/** Cores used in the last `spanMs`, or since the first sample; includes the start. */
export function coresLately(model: Watched, spanMs: number): number {
  const first = model.samples.findLast(({ atMs }) => atMs <= readAtMs(model) - spanMs) ?? model.samples[0]
  return first === undefined || first.atMs === readAtMs(model) ? 0 : coresAfter(model, first)
}

function coresAfter(model: Watched, first: Sample): number {
  return (model.usedCpuMs - first.usedCpuMs) / (readAtMs(model) - first.atMs)
}

/** The time of the last reading. */
function readAtMs({ samples }: Watched): number {
  return samples.at(-1)?.atMs ?? 0
}
