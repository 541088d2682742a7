/**
 * Lets calls share a read without giving any of them a result from before it was called: those that come while one runs share the
 * next one.
 */
export function sharedRead<Result>(read: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<unknown> | undefined
  let next: Promise<Result> | undefined

  function start(): Promise<Result> {
    const result = read()
    running = result
      .catch(() => undefined)
      .finally(() => {
        running = undefined
      })
    return result
  }

  return () => {
    if (running === undefined) return start()
    next ??= running.then(() => {
      next = undefined
      return start()
    })
    return next
  }
}
