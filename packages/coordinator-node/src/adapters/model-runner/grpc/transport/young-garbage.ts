/** A call leaves about 15 KB of garbage. This many calls fill a small part of the young generation that `steadyNodeArguments` sets. */
export const CALLS_A_COLLECTION = 200

/**
 * Call this with the number of answered calls while no answer is awaited; it occasionally collects young garbage. V8
 * itself collects when the young generation is full, usually in the middle of a fan-out: all answers then wait, and the
 * objects of open calls are copied and soon promoted until a full collection. Between fan-outs there is hardly anything
 * to copy. Without Node's `--expose-gc`, V8 alone decides.
 */
export function startYoungCollections(collect: typeof globalThis.gc = globalThis.gc): (answeredCount: number) => void {
  let uncollectedCount = 0
  return (answeredCount) => {
    uncollectedCount += answeredCount
    if (collect === undefined || uncollectedCount < CALLS_A_COLLECTION) return
    uncollectedCount = 0
    collect({ type: 'minor' })
  }
}
