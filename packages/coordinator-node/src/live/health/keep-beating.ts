import { wait } from '../wait.ts'
import type { WorkerContext, WorkerName } from '../workers/worker-context.ts'

const beatEveryMs = 5_000
/**
 * The delay that the operating system, a full garbage collection or a busy database may cause; beyond it, the worker is
 * stuck.
 */
const nextWithinMs = 20_000

/** The signs of life of workers that share a process. */
export interface Beating {
  /** A pass over the work is finished. */
  worked(): void
  /** The newest pass failed, in a way that does not end the worker. Said at once when it is news. */
  failed(reason: string): Promise<void>
  /** Ends the signs of life. */
  stop(): Promise<void>
}

/**
 * Says every few seconds that these workers are alive, until it is stopped or the signal aborts. One that cannot be stored is
 * no failure of the worker's own: its silence shows, and the worker finds out by itself that the database is gone.
 */
export function keepBeating(
  { store, log, signal }: Pick<WorkerContext, 'store' | 'log' | 'signal'>,
  workers: readonly WorkerName[],
): Beating {
  const ending = new AbortController()
  const ended = AbortSignal.any([signal, ending.signal])
  let hasWorked = false
  let problem: string | null = null
  let isTold = false
  async function beat(): Promise<void> {
    const work = hasWorked
    hasWorked = false
    try {
      await Promise.all(workers.map((worker) => store.beat({ worker, nextWithinMs, hasWorked: work, problem })))
      isTold = false
    } catch (error) {
      if (!isTold) log.warn('a sign of life could not be stored', { workers: [...workers], reason: String(error) })
      isTold = true
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
