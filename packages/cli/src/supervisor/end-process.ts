import { processIdentity, systemErrorCode } from '@crunch/local-processes'

/** How long a process may take to end by itself after SIGTERM. */
export const graceMs = 5_000

const pollMs = 25

/**
 * Ends one process, known by its identity so that a recycled pid is never hit: SIGTERM to it, and what is left of its
 * process group after `limitMs` gets SIGKILL. Resolves when the process is gone; false when it was gone before.
 */
export async function endProcess(pid: number, identity: string, limitMs: number = graceMs): Promise<boolean> {
  if (processIdentity(pid) !== identity) return false
  sendSignal(pid, 'SIGTERM')
  const ended = await goneWithin(pid, identity, limitMs)
  if (!ended) {
    killGroup(pid)
    // SIGKILL may take a moment on a process in the middle of a system call, never longer.
    if (!(await goneWithin(pid, identity, graceMs))) throw new Error(`process ${pid} survived SIGKILL`)
  }
  killGroup(pid)
  return true
}

/** Kills whatever is left of the process group that `pid` led; nothing when none is. */
export function killGroup(pid: number): void {
  if (process.platform !== 'win32') sendSignal(-pid, 'SIGKILL')
}

/** Sends a signal; false when there is no such process any more. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false
    // macOS answers EPERM for a group of zombies only.
    if (systemErrorCode(error) === 'EPERM' && pid < 0) return false
    throw error
  }
}

async function goneWithin(pid: number, identity: string, limitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + limitMs
  while (processIdentity(pid) === identity) {
    if (performance.now() > deadlineMs) return false
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return true
}
