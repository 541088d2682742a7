/** Calls per turn of the event loop. Few, so that Linux finds an idle core for each model that it wakes. */
export const CALLS_A_TURN = 8
/** After a turn this long the process is busy: it sends all calls at once, so that no model is called too late. */
const SLOW_TURN_MS = 5
/** Late calls wait for the others' answers at most this long, and at most this share of their time limit. */
export const LATE_MS = 25
const LATE_SHARE = 0.05

/**
 * Spreads calls over turns of the event loop. A request leaves this process at the end of its turn, so the first models
 * already work while the last are called, and fewer calls are open at once.
 */
export interface CallTurns {
  open(timeoutMs: number): DispatchTurns
}

/** The turns of one dispatch. Its models must request theirs before `close`. */
export interface DispatchTurns {
  /** Resolves now or in one of the next turns, in order. Call `answered` afterwards. */
  first(): Promise<void>
  /** Resolves when all first calls are answered, or after a short pause. */
  last(): Promise<void>
  /** Reports that a first call is answered. */
  answered(): void
  /** Call when all models have requested their turns. */
  close(): void
}

/** `onQuiet` is called when only late calls are open, with the number of other calls answered since it was last called. */
export function createCallTurns(onQuiet: (answeredCount: number) => void = () => {}): CallTurns {
  const waiting: (() => void)[] = []
  let openCount = 0
  let answeredCount = 0
  let left = CALLS_A_TURN
  let startedAt = 0

  function begin(send: () => void): void {
    if (left === CALLS_A_TURN) {
      startedAt = performance.now()
      setImmediate(nextTurn)
    }
    left -= 1
    send()
  }

  function nextTurn(): void {
    const isSlow = performance.now() - startedAt > SLOW_TURN_MS
    left = CALLS_A_TURN
    for (const send of waiting.splice(0, isSlow ? waiting.length : CALLS_A_TURN)) begin(send)
  }

  function take(send: () => void): void {
    if (left > 0 && waiting.length === 0) begin(send)
    else waiting.push(send)
  }

  /** After the code that waited for the last answer has continued. */
  function notifyIdle(): void {
    if (openCount > 0) return
    onQuiet(answeredCount)
    answeredCount = 0
  }

  return {
    open(timeoutMs) {
      const late: (() => void)[] = []
      let unanswered = 0
      let isClosed = false
      let timer: NodeJS.Timeout | undefined
      function release(): void {
        clearTimeout(timer)
        for (const send of late.splice(0)) take(send)
      }
      return {
        first() {
          unanswered += 1
          openCount += 1
          return new Promise(take)
        },
        last: () => new Promise((resolve) => late.push(resolve)),
        answered() {
          unanswered -= 1
          openCount -= 1
          answeredCount += 1
          if (isClosed && unanswered === 0) release()
          if (openCount === 0) setImmediate(notifyIdle)
        },
        close() {
          isClosed = true
          if (late.length === 0) return
          if (unanswered === 0) release()
          else timer = setTimeout(release, Math.min(LATE_MS, LATE_SHARE * timeoutMs))
        },
      }
    },
  }
}
