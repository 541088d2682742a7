/** Limits simultaneous starts: a hundred programs starting at once on two cores would all exceed their time limit. */
export interface StartQueue {
  /** Resolves when the start may begin; call the result when it is over. Rejects when `signal` aborts. */
  enter(signal: AbortSignal): Promise<() => void>
}

/** A start that takes longer than `maxTurnMs` continues but no longer counts: it may hang. */
export function createStartQueue(maxAtOnce: number, maxTurnMs: number): StartQueue {
  let running = 0
  const waiting: (() => void)[] = []

  function beginTurn(): () => void {
    running += 1
    let over = false
    const endTurn = () => {
      if (over) return
      over = true
      clearTimeout(timer)
      running -= 1
      waiting.shift()?.()
    }
    const timer = setTimeout(endTurn, maxTurnMs)
    return endTurn
  }

  return {
    async enter(signal) {
      signal.throwIfAborted()
      if (running < maxAtOnce) return beginTurn()
      return new Promise((resolve, reject) => {
        const go = () => {
          signal.removeEventListener('abort', leave)
          resolve(beginTurn())
        }
        const leave = () => {
          waiting.splice(waiting.indexOf(go), 1)
          reject(signal.reason)
        }
        signal.addEventListener('abort', leave, { once: true })
        waiting.push(go)
      })
    },
  }
}
