/** A step back that is smaller than this is the machine's clock being set right, as it is now and then. */
const noticeableBackMs = 1_000
/** A step ahead loses nothing by itself: what is noticed is more than setting the clock right takes. */
const noticeableAheadMs = 5_000

/**
 * Notices a wall clock that jumps, by a clock that only goes forward. Gives by how much, less than 0 for back, or `null`.
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
