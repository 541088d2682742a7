import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { readOwnSession } from '../process/process-table.ts'

/** A serving model has a lower priority than the node's own processes. */
export const MODEL_NICENESS = 10
/** A model that computes continuously also has a lower priority than other models. */
export const HOG_NICENESS = 19
/** Whether this process may raise a priority again: only root may, and not in every container. */
export const MAY_RAISE = mayRaise()
/**
 * Serving models come before starting ones: a start computes for a while, and a crash loop computes for minutes. An
 * ordinary user cannot raise the priority again, so there it is lowered only a little.
 */
export const START_NICENESS = MAY_RAISE ? HOG_NICENESS : 4

/**
 * The orchestrator's own niceness: lower priority than the node's workers, higher than serving models, because work for one model must
 * not delay another.
 */
const OWN_NICENESS = 5

/**
 * Lowers this process's priority below that of the node's workers. Not as an ordinary user: starting models, whose priority is
 * hardly lower there, could starve it. Not in a foreign session: Linux would lower the priority of the whole session.
 */
export function giveWay(): void {
  if (!MAY_RAISE || process.platform !== 'linux') return
  if (readOwnSession() === process.pid) lowerPriority(process.pid, Math.max(getPriority(), OWN_NICENESS))
}

/**
 * Lowers the priority of a process: of its threads, and on Linux of its session, between which Linux divides CPU time
 * first (autogroups). Returns false if it must be retried later: Linux accepts ten such requests a second from an ordinary user.
 */
export function lowerPriority(pid: number, niceness: number): boolean {
  for (const thread of threadsOf(pid)) setNiceness(thread, niceness)
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness))
    return true
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return false
    // The process has ended, or this system has no autogroups.
    if (['ENOENT', 'ESRCH', 'EINVAL'].includes(codeOf(error))) return true
    throw error
  }
}

function mayRaise(): boolean {
  if (process.platform !== 'linux') return process.getuid?.() === 0
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  // CAP_SYS_NICE of capabilities(7).
  return ((BigInt(`0x${effective}`) >> 23n) & 1n) === 1n
}

function setNiceness(thread: number, niceness: number): void {
  try {
    setPriority(thread, niceness)
  } catch (error) {
    // Only root may raise a priority again: without root a hog keeps its low priority after it has calmed down.
    if (!['ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error))) throw error
  }
}

/** Outside Linux the priority belongs to the whole process. */
function threadsOf(pid: number): number[] {
  if (process.platform !== 'linux') return [pid]
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return []
    throw error
  }
}

function codeOf(error: unknown): string {
  const info = error instanceof Error && 'info' in error ? (error.info as { code?: unknown }) : {}
  return String(info.code ?? (error as NodeJS.ErrnoException).code)
}
