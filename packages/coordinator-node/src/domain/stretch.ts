import type { Instant } from './time.ts'

/** A stretch of a series by `eventAt`: `from <= eventAt < to`. */
export interface Stretch {
  readonly from: Instant
  readonly to: Instant
}

/** The gaps that these records leave in a stretch of a grid. The ends of the stretch are on the grid. */
export function holesIn({ from, to }: Stretch, stepMs: number, eventTimes: Iterable<Instant>): Stretch[] {
  const holes: Stretch[] = []
  let next = from
  for (const at of [...eventTimes].sort((left, right) => left - right)) {
    if (at < from || at >= to) continue
    if (at > next) holes.push({ from: next, to: at })
    next = Math.max(next, at + stepMs)
  }
  if (next < to) holes.push({ from: next, to })
  return holes
}

/** How many records a stretch of a grid lacks. */
export function missingCount({ from, to }: Stretch, stepMs: number): number {
  return Math.ceil((to - from) / stepMs)
}
