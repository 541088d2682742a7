/** A bounded queue between tasks of one process: writers wait while it is full, the reader while it is empty. */
export interface Channel<Item> {
  /** Resolves when the item is queued; `false` when the reader has ended. */
  push(item: Item): Promise<boolean>
  /** No more items: the reader ends behind those that are in. */
  end(): void
  /** No more items: the reader throws behind those that are in. */
  fail(error: unknown): void
  /** For one reader. Leaving it lets every waiting writer go. */
  read(): AsyncGenerator<Item, void, undefined>
}

/** @param weigh what an item counts of the capacity; one item is always taken, however heavy */
export function createChannel<Item>(capacity: number, weigh: (item: Item) => number = () => 1): Channel<Item> {
  const items: Item[] = []
  let weight = 0
  let ending: { readonly error?: unknown } | undefined
  let isLeft = false
  let wakeReader = () => {}
  let wakeWriters: (() => void)[] = []

  function letWritersGo(): void {
    const waiting = wakeWriters
    wakeWriters = []
    for (const wake of waiting) wake()
  }

  function close(how: { readonly error?: unknown }): void {
    ending ??= how
    wakeReader()
    letWritersGo()
  }

  return {
    async push(item) {
      while (weight >= capacity && !isLeft && ending === undefined) {
        await new Promise<void>((resolve) => wakeWriters.push(resolve))
      }
      if (isLeft || ending !== undefined) return false
      items.push(item)
      weight += weigh(item)
      wakeReader()
      return true
    },
    end: () => close({}),
    fail: (error) => close({ error }),
    async *read() {
      try {
        for (;;) {
          while (items.length > 0) {
            const item = items.shift() as Item
            weight -= weigh(item)
            letWritersGo()
            yield item
          }
          if (ending !== undefined) {
            if ('error' in ending) throw ending.error
            return
          }
          await new Promise<void>((resolve) => {
            wakeReader = resolve
          })
        }
      } finally {
        isLeft = true
        letWritersGo()
      }
    },
  }
}
