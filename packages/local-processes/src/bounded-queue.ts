/** A bounded queue between tasks of one process, with one reader. */
export interface BoundedQueue<Item> {
  /** Waits while the queue is full. `false` if the queue has ended or its reader has left. */
  push(item: Item): Promise<boolean>
  /** Never waits. `false` if the item was not added because the queue is full or has ended. */
  offer(item: Item): boolean
  /** Removes the oldest item, to make room for newer ones. */
  drop(): Item | undefined
  /** Accepts no more items; the reader ends after the queued ones. */
  end(): void
  /** Accepts no more items; the reader throws after the queued ones. */
  fail(error: unknown): void
  /** Removes and returns all queued items; waits for the first one. `null` at the end. */
  take(): Promise<readonly Item[] | null>
  /** Yields one item after the other. Leaving the loop ends the queue. */
  read(): AsyncGenerator<Item, void, undefined>
}

/** @param weigh how much of the capacity an item uses; an empty queue accepts an item of any weight */
export function createBoundedQueue<Item>(
  capacity: number,
  weigh: (item: Item) => number = () => 1,
): BoundedQueue<Item> {
  const content = createContent(weigh, letWritersGo)
  let ending: { readonly error?: unknown } | undefined
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

  /** `false` at the end. */
  async function hasItems(): Promise<boolean> {
    while (content.count() === 0) {
      if (ending !== undefined) {
        if ('error' in ending) throw ending.error
        return false
      }
      await new Promise<void>((resolve) => {
        wakeReader = resolve
      })
    }
    return true
  }

  async function* read(): AsyncGenerator<Item, void, undefined> {
    try {
      while (await hasItems()) yield content.drop() as Item
    } finally {
      close({})
    }
  }

  return {
    async push(item) {
      while (content.weight() >= capacity && ending === undefined) {
        await new Promise<void>((resolve) => wakeWriters.push(resolve))
      }
      if (ending !== undefined) return false
      content.add(item)
      wakeReader()
      return true
    },
    offer(item) {
      if (ending !== undefined || (content.count() > 0 && content.weight() + weigh(item) > capacity)) return false
      content.add(item)
      wakeReader()
      return true
    },
    drop: content.drop,
    end: () => close({}),
    fail: (error) => close({ error }),
    take: async () => ((await hasItems()) ? content.takeAll() : null),
    read,
  }
}

function createContent<Item>(weigh: (item: Item) => number, onLess: () => void) {
  let items: Item[] = []
  let weight = 0
  return {
    count: () => items.length,
    weight: () => weight,
    add(item: Item): void {
      items.push(item)
      weight += weigh(item)
    },
    drop(): Item | undefined {
      const item = items.shift()
      if (item !== undefined) weight -= weigh(item)
      onLess()
      return item
    },
    takeAll(): readonly Item[] {
      const taken = items
      items = []
      weight = 0
      onLess()
      return taken
    },
  }
}
