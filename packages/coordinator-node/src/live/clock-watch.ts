/** A smaller step back is an ordinary correction of the machine's clock. */
const noticeableBackMs = 1_000
/** A step ahead loses nothing by itself, so only steps larger than an ordinary correction are reported. */
const noticeableAheadMs = 5_000

/**
 * Detects jumps of the wall clock by comparing it with a monotonic clock. Returns the size of a jump, negative if back,
 * or `null`.
 * @param wallMs and monotonicMs what the two clocks say at the start
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
