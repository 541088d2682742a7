import { existsSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'

const MODEL_NICENESS = 10

/**
 * Lets a model's process wait for the node's own when both want the processor: a model that computes all the time must not
 * delay the others' answers. Linux shares processors by session first, and a model has one of its own.
 */
export function lowerPriority(pid: number): void {
  const group = `/proc/${pid}/autogroup`
  try {
    setPriority(pid, MODEL_NICENESS)
    if (existsSync(group)) writeFileSync(group, String(MODEL_NICENESS))
  } catch (error) {
    // The process may have ended already, which its own end reports.
    if (!isGone(error)) throw error
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const reason = error instanceof Error && 'info' in error ? String((error.info as { code?: unknown }).code) : ''
  return ['ENOENT', 'ESRCH'].includes(code) || reason === 'ESRCH'
}
