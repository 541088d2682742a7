import { silentLog } from '../../ports/log.ts'
import { type RunWorkersOptions, runWorkers } from './run-workers.ts'

export interface StartOptions extends Pick<RunWorkersOptions, 'workers' | 'contract' | 'settings' | 'databaseUrl'> {
  readonly sources?: NonNullable<RunWorkersOptions['sources']>
  /** Receives a function that ends the workers after the test. */
  onEnd(end: () => unknown): void
}

/** Runs workers in this process. Resolves once all are ready, with a function that ends them. */
export async function startWorkers({ onEnd, ...options }: StartOptions): Promise<() => Promise<void>> {
  const ending = new AbortController()
  const waiting = new Set(options.workers)
  let hasFailed = false
  let allReady = () => {}
  const ready = new Promise<void>((resolve) => {
    allReady = resolve
  })
  const running = runWorkers({
    ...options,
    codeHash: 'code',
    log: silentLog,
    signal: ending.signal,
    onReady(worker) {
      waiting.delete(worker)
      if (waiting.size === 0) allReady()
    },
  })
  const stop = async () => {
    ending.abort()
    await running
  }
  onEnd(async () => {
    if (!hasFailed) await stop()
  })
  try {
    await Promise.race([ready, running])
  } catch (error) {
    hasFailed = true
    throw error
  }
  return stop
}
