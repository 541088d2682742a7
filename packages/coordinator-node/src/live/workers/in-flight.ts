/** Runs work concurrently with the stream of records, at most `limit` pieces at once. */
export interface InFlight {
  /**
   * Starts a piece of work; waits first while the limit is reached. Rejects with the first failure of any piece.
   * @param weight number of pieces it counts as; a piece heavier than the limit runs alone
   */
  add(work: () => Promise<unknown>, weight?: number): Promise<void>
  /** Resolves when no work is left; rejects with the first failure. */
  drain(): Promise<void>
}

export function createInFlight(limit: number): InFlight {
  const running = new Set<Promise<void>>()
  let weightInFlight = 0
  let failure: { readonly error: unknown } | undefined

  function check(): void {
    if (failure !== undefined) throw failure.error
  }

  return {
    async add(work, weight = 1) {
      while (running.size > 0 && weightInFlight + weight > limit) await Promise.race(running)
      check()
      weightInFlight += weight
      const piece: Promise<void> = work()
        .then(
          () => {},
          (error: unknown) => {
            failure ??= { error }
          },
        )
        .finally(() => {
          running.delete(piece)
          weightInFlight -= weight
        })
      running.add(piece)
    },
    async drain() {
      await Promise.all(running)
      check()
    },
  }
}
