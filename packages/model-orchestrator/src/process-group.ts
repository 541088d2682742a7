/**
 * Signals every process of the group that `leaderPid` leads; false when none is left. A group's number is not given
 * away while it has members, and callers ask only while they own it.
 */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leaderPid, signal)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
