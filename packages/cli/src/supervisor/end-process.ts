import { processIdentity, systemErrorCode } from '@crunch/local-processes'

/** Grace period after SIGTERM. */
export const graceMs = 5_000

/** A killed process ends once the kernel runs it: late on a busy machine, or while it is in a system call. */
const killLimitMs = 60_000

const pollMs = 25

/**
 * Ends a process: SIGTERM, and after `limitMs` SIGKILL to the rest of its process group. The identity ensures that a recycled pid
 * is never signalled. Resolves when the process is gone; false if it was already gone.
 */
export async function endProcess(pid: number, identity: string, limitMs: number = graceMs): Promise<boolean> {
  if (processIdentity(pid) !== identity) return false
  sendSignal(pid, 'SIGTERM')
  const ended = await goneWithin(pid, identity, limitMs)
  if (!ended) {
    killGroup(pid)
    if (!(await goneWithin(pid, identity, killLimitMs))) throw new Error(`process ${pid} survived SIGKILL`)
  }
  killGroup(pid)
  return true
}

/** Kills the remaining processes of the group that `pid` led, if there are any. */
export function killGroup(pid: number): void {
  if (process.platform !== 'win32') sendSignal(-pid, 'SIGKILL')
}

/** Sends a signal; false if the process no longer exists. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false
    // macOS returns EPERM for a group that contains only zombies.
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
