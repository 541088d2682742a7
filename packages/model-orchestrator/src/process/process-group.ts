import { whenMissing } from '@crunch/local-processes'

/**
 * Signals every process of the group with the leader `leaderPid`; false if none is left. The system does not reuse a
 * group's number while the group has members; callers signal a group only while they own it.
 */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leaderPid, signal)
    return true
  } catch (error) {
    // On macOS, EPERM means that the group contains only zombies.
    return whenMissing(false, ['ESRCH', 'EPERM'])(error)
  }
}
