/** So many calls are sent before what has come meanwhile is read: few, so that Linux finds an idle core for each model it wakes. */
export const CALLS_A_TURN = 8
/** A process that is busy with other work sends all calls at once: no model's time may run out before it is asked. */
const SLOW_TURN_MS = 5
/** The longest that late calls wait for the others' answers, and at most this share of their dispatch's time. */
export const LATE_MS = 25
const LATE_SHARE = 0.05

/**
 * Sends calls in turns of the event loop. A request leaves this process when its turn is over: in turns the first models are
 * at work while the last are asked, and fewer calls are open at once.
 */
export interface CallTurns {
  open(timeoutMs: number): DispatchTurns
}

/** The turns of one dispatch, which its models ask for before `close`. */
export interface DispatchTurns {
  /** Resolves now or in one of the next turns, in order. Call `answered` afterwards. */
  first(): Promise<void>
  /** Resolves when all who came first are answered, or after a moment. */
  last(): Promise<void>
  /** One who came first is answered. */
  answered(): void
  /** All models have asked. */
  close(): void
}

/** `onQuiet` is called when only late calls are open, with the number of others answered since the last time. */
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
  function tellQuiet(): void {
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
          if (openCount === 0) setImmediate(tellQuiet)
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
