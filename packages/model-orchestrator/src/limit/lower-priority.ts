import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { readOwnSession } from '../process/process-table.ts'

/** A serving model has a lower priority than the node's own processes. */
export const MODEL_NICENESS = 10
/** A model that computes all the time waits for the other models as well. */
export const HOG_NICENESS = 19
/** Only the superuser may raise a priority again, and not in every container. */
export const MAY_RAISE = mayRaise()
/**
 * A start computes for a while, and one that crashes again and again does so for minutes: serving models come first. An
 * ordinary user could never raise the priority again, so it is lowered only a little.
 */
export const START_NICENESS = MAY_RAISE ? HOG_NICENESS : 4

/**
 * An orchestrator has a lower priority than the node's workers, but hardly lower than models: work for one model must
 * not delay another.
 */
const OWN_NICENESS = 5

/**
 * Lets this process wait for a node's workers. Not as an ordinary user, whose models that start could then be too much for
 * it; and not in a session of others, which on Linux would wait along.
 */
export function giveWay(): void {
  if (!MAY_RAISE || process.platform !== 'linux') return
  if (readOwnSession() === process.pid) lowerPriority(process.pid, Math.max(getPriority(), OWN_NICENESS))
}

/**
 * Lets a process wait for others that want the processor: its threads, and on Linux its session, which is what
 * processors are shared by first. False when it must be retried later: Linux accepts ten such requests a second from an
 * ordinary user.
 */
export function lowerPriority(pid: number, niceness: number): boolean {
  for (const thread of threadsOf(pid)) setNiceness(thread, niceness)
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness))
    return true
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return false
    // The process has ended, which its own end reports, or this system has no such groups.
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
    // Only the superuser may raise a priority again: a hog of an ordinary user stays behind after it has calmed down.
    if (!['ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error))) throw error
  }
}

/** Elsewhere than on Linux a process is set as a whole. */
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
