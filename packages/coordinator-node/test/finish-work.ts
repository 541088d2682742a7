import type { SlicedWork } from '../src/domain/statistics/sliced-work.ts'

/** The result of work, without turns. */
export function finishWork<Result>(work: SlicedWork<Result>): Result {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** After how many slices it gives a turn. */
export function countTurns(work: SlicedWork<unknown>): number {
  for (let count = 0; ; count += 1) if (work.next().done === true) return count
}
