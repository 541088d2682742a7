/**
 * Signals every process of the group that `leaderPid` leads; false when none is left. A group's number is not given
 * away while it has members, and callers ask only while they own it.
 */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leaderPid, signal)
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // macOS answers EPERM for a group of zombies only.
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}
