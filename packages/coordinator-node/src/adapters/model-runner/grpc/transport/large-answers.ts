/** Larger answers are read one per turn of the event loop: reading a list of this many bytes takes a millisecond. */
export const OWN_TURN_BYTES = 32 * 1024
/** Larger answers are counted against the memory for answers. */
export const LARGE_ANSWER_BYTES = 256 * 1024

/**
 * Reads large answers one per turn of the event loop, the smallest of those that wait first: a huge answer delays only larger
 * ones, and sockets, timers and small answers are served in between.
 */
export interface LargeAnswers {
  /** Resolves when an answer of this size may be read, which must be done before the next `await`. */
  turn(bytes: number): Promise<void>
}

interface WaitingAnswer {
  readonly bytes: number
  readonly begin: () => void
}

export function createLargeAnswers(): LargeAnswers {
  const waiting: WaitingAnswer[] = []

  function readSmallest(): void {
    const smallest = waiting.reduce((best, one) => (one.bytes < best.bytes ? one : best))
    waiting.splice(waiting.indexOf(smallest), 1)
    if (waiting.length > 0) setImmediate(readSmallest)
    smallest.begin()
  }

  return {
    turn(bytes) {
      if (waiting.length === 0) setImmediate(readSmallest)
      return new Promise((begin) => waiting.push({ bytes, begin }))
    },
  }
}
