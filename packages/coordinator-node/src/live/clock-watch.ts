/** A step that is smaller than this is the machine's clock being set right, as it is now and then. */
const noticeableMs = 1_000

/**
 * Notices a wall clock that jumps back, by a clock that only goes forward. Gives by how much, or `null`.
 * @param wallMs and monotonicMs what the two clocks say at the start
 */
export function createClockWatch(
  wallMs: number,
  monotonicMs: number,
): (wallMs: number, monotonicMs: number) => number | null {
  let offsetMs = wallMs - monotonicMs
  return (wall, monotonic) => {
    const backMs = offsetMs - (wall - monotonic)
    offsetMs = wall - monotonic
    return backMs >= noticeableMs ? Math.round(backMs) : null
  }
}
