/** Smaller steps back are ordinary corrections of the machine's clock. */
const noticeableBackMs = 1_000
/** Steps ahead lose no records, so only large ones are reported. */
const noticeableAheadMs = 5_000

/**
 * Detects jumps of the wall clock by comparing it with a monotonic clock. The returned function gives the size of a jump,
 * negative if backward, or `null`.
 * @param wallMs and monotonicMs readings of the two clocks at the start
 */
export function createClockWatch(
  wallMs: number,
  monotonicMs: number,
): (wallMs: number, monotonicMs: number) => number | null {
  let offsetMs = wallMs - monotonicMs
  return (wall, monotonic) => {
    const jumpMs = Math.round(wall - monotonic - offsetMs)
    offsetMs = wall - monotonic
    return jumpMs <= -noticeableBackMs || jumpMs >= noticeableAheadMs ? jumpMs : null
  }
}
