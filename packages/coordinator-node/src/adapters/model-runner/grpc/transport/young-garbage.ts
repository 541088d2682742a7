/** A call leaves some 15 KB of garbage: so many leave a small part of the room that `steadyNodeArguments` gives to young objects. */
export const CALLS_A_COLLECTION = 200

/**
 * Call it with the number of answered calls while no answer is awaited: it then collects young garbage occasionally. V8
 * itself does so when the room for it is full, as a rule in the middle of a fan-out: then all answers wait, and what
 * belongs to open calls is copied, and soon kept until a full collection. Between fan-outs there is hardly anything to
 * copy. Without Node's `--expose-gc` V8 decides alone.
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
