import { wait } from '@crunch/local-processes'
import type { WorkerContext, WorkerName } from '../workers/worker-context.ts'

const beatEveryMs = 5_000
/**
 * The longest delay that the operating system, a full garbage collection or a busy database may cause; beyond it, the worker
 * counts as stuck.
 */
const nextWithinMs = 20_000

/** Heartbeats of the workers of one process. */
export interface Beating {
  /** Reports that a pass over the work is finished. */
  worked(): void
  /** Reports that the newest pass failed without ending the worker. A change is stored at once. */
  failed(reason: string): Promise<void>
  /** Stops the heartbeats. */
  stop(): Promise<void>
}

/**
 * Stores a heartbeat of these workers every few seconds, until stopped or aborted. A heartbeat that cannot be stored is only
 * logged: the missing heartbeat shows in health, and the worker itself detects that the database is gone.
 */
export function keepBeating(
  { store, log, signal }: Pick<WorkerContext, 'store' | 'log' | 'signal'>,
  workers: readonly WorkerName[],
): Beating {
  const ending = new AbortController()
  const ended = AbortSignal.any([signal, ending.signal])
  let hasWorked = false
  let problem: string | null = null
  let isReported = false
  async function beat(): Promise<void> {
    const work = hasWorked
    hasWorked = false
    try {
      await Promise.all(workers.map((worker) => store.beat({ worker, nextWithinMs, hasWorked: work, problem })))
      isReported = false
    } catch (error) {
      if (!isReported) log.warn('a heartbeat could not be stored', { workers: [...workers], reason: String(error) })
      isReported = true
    }
  }
  async function beatOn(): Promise<void> {
    while (!ended.aborted) {
      await beat()
      await wait(beatEveryMs, ended)
    }
  }
  const beating = beatOn()
  return {
    worked() {
      hasWorked = true
      problem = null
    },
    async failed(reason) {
      if (reason === problem) return
      problem = reason
      await beat()
    },
    async stop() {
      ending.abort()
      await beating
    },
  }
}
