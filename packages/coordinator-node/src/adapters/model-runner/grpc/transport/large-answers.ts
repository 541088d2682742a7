import { setImmediate } from 'node:timers/promises'

/** Answers above this are read one at a time. A list of so many bytes takes a millisecond. */
export const OWN_TURN_BYTES = 32 * 1024
/** Answers above this are counted against the memory for answers. */
export const LARGE_ANSWER_BYTES = 256 * 1024

/** Lets large answers be read one a turn of the event loop, after the small ones that have come meanwhile. */
export interface LargeAnswers {
  /** Resolves when it is the caller's turn; what it then does at once is its turn. */
  turn(): Promise<void>
}

export function createLargeAnswers(): LargeAnswers {
  let last: Promise<void> = Promise.resolve()
  return {
    turn() {
      last = last.then(() => setImmediate())
      return last
    },
  }
}
