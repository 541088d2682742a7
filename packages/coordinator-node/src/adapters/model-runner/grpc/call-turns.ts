/** So many calls are sent before what has come meanwhile is read: few, so that Linux finds an idle core for each model it wakes. */
export const CALLS_A_TURN = 8
/** How long one that is sent late waits, and at most this share of its dispatch's time. */
export const LATE_MS = 25
const LATE_SHARE = 0.05

/**
 * Sends calls in turns of the event loop. A request leaves this process when its turn is over: in turns the first models are
 * at work while the last are asked, and fewer calls are open at once.
 */
export interface CallTurns {
  /** Calls `send` now or in one of the next turns, in order. */
  take(send: () => void): void
  /** The same for who may do harm or take long: after a pause in which the others of the dispatch answer. */
  takeLate(timeoutMs: number, send: () => void): void
}

export function createCallTurns(): CallTurns {
  const waiting: (() => void)[] = []
  let left = CALLS_A_TURN

  function begin(send: () => void): void {
    if (left === CALLS_A_TURN) setImmediate(nextTurn)
    left -= 1
    send()
  }

  function nextTurn(): void {
    left = CALLS_A_TURN
    for (const send of waiting.splice(0, CALLS_A_TURN)) begin(send)
  }

  function take(send: () => void): void {
    if (left > 0 && waiting.length === 0) begin(send)
    else waiting.push(send)
  }

  return {
    take,
    takeLate(timeoutMs, send) {
      setTimeout(take, Math.min(LATE_MS, LATE_SHARE * timeoutMs), send)
    },
  }
}
