import type { Log } from '../../ports/log.ts'
import type { Change } from '../../ports/store-workers.ts'

/** Beyond it, all is read instead. */
const maxChanges = 10_000

export interface QueueOptions {
  /** Reads and publishes a change. `isLast`: none waits behind it. `reason`, with `all`: why changes were missed. */
  readonly handle: (change: Change, isLast: () => boolean, reason: string) => Promise<void>
  readonly retryMs: number
  readonly stopping: AbortSignal | undefined
  readonly log: Log
}

/** Handles changes one after the other, each once however often it comes meanwhile, and again after a failure. */
export function createChangeQueue({ handle, retryMs, stopping, log }: QueueOptions) {
  const waiting = new Set<Change>()
  let isHandling = false
  let retry: NodeJS.Timeout | undefined
  let missedReason = ''

  function missAll(reason: string): void {
    missedReason = reason
    waiting.clear()
    waiting.add('all')
  }

  function work(): void {
    clearTimeout(retry)
    if (!isHandling) void handleWaiting()
  }

  async function handleWaiting(): Promise<void> {
    isHandling = true
    for (const change of waiting) {
      waiting.delete(change)
      const reason = missedReason || 'a new era began, or a writer had too many changes at once'
      try {
        await handle(change, () => waiting.size === 0, reason)
        if (change === 'all') missedReason = ''
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        log.warn('changes cannot be read for the stream', { stage: 'report', change, error: why })
        waiting.add(change)
        if (stopping?.aborted !== true) retry = setTimeout(work, retryMs).unref()
        break
      }
    }
    isHandling = false
  }

  return {
    changed(change: Change): void {
      if (waiting.size >= maxChanges) missAll('too many changes at once')
      else waiting.add(change)
      work()
    },
    missed(): void {
      missAll('the connection that announces changes was interrupted')
      work()
    },
  }
}
