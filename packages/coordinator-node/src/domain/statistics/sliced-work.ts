/**
 * Long work without I/O, in slices of a few milliseconds: it yields after each slice, so that whoever runs it can let other work
 * run, and returns its result. Slices change nothing in the result.
 */
export type SlicedWork<Result> = Generator<void, Result, void>

/** Runs work to its end, and awaits `turn` after each slice. */
export async function runInTurns<Result>(work: SlicedWork<Result>, turn: () => Promise<void>): Promise<Result> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await turn()
  }
}

/** The result for each item, in slices of about `workPerSlice`. An item is never divided. */
export function* mapInSlices<Item, Result>(
  items: readonly Item[],
  workPerSlice: number,
  workOf: (item: Item, index: number) => number,
  map: (item: Item, index: number) => Result,
): SlicedWork<Result[]> {
  const results: Result[] = []
  let done = 0
  for (const [index, item] of items.entries()) {
    if (done >= workPerSlice) {
      yield
      done = 0
    }
    results.push(map(item, index))
    done += workOf(item, index)
  }
  return results
}
