import { readFileSync } from 'node:fs'

const NS_PER_MS = 1_000_000
/** Ends a start that computes forever on a machine that is never idle. */
const LONGEST_FACTOR = 10
const SHORTEST_LOOK_MS = 20

/**
 * Calls `onOver` with the reason once a start has taken `limitMs`, without the time in which it waited for a
 * processor: a healthy model starts late on a busy machine. After ten times the limit the start fails in any case. The
 * returned function stops the watch.
 */
export function limitStart(input: {
  readonly limitMs: number
  /** How long the start has waited for a processor. */
  readonly waitedMs: () => number
  readonly onOver: (reason: string) => void
}): () => void {
  const { limitMs, waitedMs, onOver } = input
  const startedMs = performance.now()
  // While this process itself waits for a processor, it cannot see that the model serves.
  const ownBeforeMs = readWaitedMs(process.pid)
  let timer = setTimeout(look, limitMs)

  function look(): void {
    const elapsedMs = performance.now() - startedMs
    const waited = Math.round(Math.max(waitedMs(), readWaitedMs(process.pid) - ownBeforeMs))
    const leftMs = Math.min(limitMs + waited, limitMs * LONGEST_FACTOR) - elapsedMs
    if (leftMs > 0) timer = setTimeout(look, Math.max(leftMs, SHORTEST_LOOK_MS))
    else onOver(describe(limitMs, waited))
  }

  return () => clearTimeout(timer)
}

function describe(limitMs: number, waitedMs: number): string {
  const time = `did not serve within ${limitMs} ms of its start, not counting ${waitedMs} ms of waiting for a processor`
  return `${time}; imports count: import less, or raise MODEL_START_TIMEOUT_MILLISECONDS`
}

/**
 * How long the main thread of a process was ready to run but had no processor, since it was started; see proc(5),
 * schedstat. 0 where the system does not report it, and for a process that has ended.
 */
export function readWaitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1] ?? 0) / NS_PER_MS
  } catch {
    return 0
  }
}
