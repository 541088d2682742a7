/** What comes next: the truth of a round, the end of a checkpoint's period. */
export function Upcoming() {
  return null
}
