import { type Client, connect, type Sql } from './connect.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { Database } from './database.ts'
import { type Deadline, within } from './within.ts'

/** Calls on the current client, through the object that `make` built for it. */
export interface Pool<Made> {
  current(): Made
  /** Rejects with `STORE_UNAVAILABLE` when no connection becomes free in time, or the call does not end in time. */
  run<Result>(call: (made: Made) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

export interface PoolOptions {
  readonly maxConnections: number
  readonly limits: ConnectionLimits
}

/** A client, and the number of calls that use it. */
interface Line<Made> {
  readonly client: Client
  readonly made: Made
  callCount: number
}

/**
 * A client that is replaced as a whole once one of its connections is lost: when postgres 3.4.9 reconnects, the next statement may
 * get the error of the last one, or no answer at all. The client is also replaced when a call timed out while one of its
 * connections was silent, because TCP takes 15 minutes to report a half-open connection. Other calls on it may finish.
 * At most as many calls run as there are connections. Other calls wait here instead of in the client, which would send
 * their statements even after they were rejected. A client connects with its first statement.
 */
export function createPool<Made>(
  database: Database,
  { maxConnections, limits: { statementMs, callMs } }: PoolOptions,
  make: (sql: Sql) => Made,
): Pool<Made> {
  const { url } = database
  const retired = new Set<Client>()
  const waiting: ((line: Line<Made>) => void)[] = []
  let isClosed = false
  let current = open()

  function open(): Line<Made> {
    const client = connect(database, { maxConnections, limitMs: statementMs, onClose: () => replace(client) })
    return { client, made: make(client.sql), callCount: 0 }
  }

  /** Time limit after which all calls on the old client have ended or timed out, so that it can be cut. */
  function replace(lost: Client): void {
    if (isClosed || current.client !== lost) return
    current = open()
    retired.add(lost)
    setTimeout(() => retire(lost), callMs).unref()
    admit()
  }

  function retire(lost: Client): void {
    retired.delete(lost)
    lost.cut()
  }

  function admit(): void {
    while (current.callCount < maxConnections) {
      const enter = waiting.shift()
      if (enter === undefined) return
      current.callCount += 1
      enter(current)
    }
  }

  function enter(): Promise<Line<Made>> {
    const line = waitIn(waiting, { url, limitMs: callMs, what: `was busy for ${callMs / 1_000} s with other calls` })
    admit()
    return line
  }

  return {
    current: () => current.made,
    async run(call) {
      const line = await enter()
      const wereAllHeard = line.client.watch()
      const giveUp = (): void => {
        if (!wereAllHeard()) replace(line.client)
      }
      try {
        return await within({ url, limitMs: callMs, giveUp }, call(line.made))
      } finally {
        line.callCount -= 1
        admit()
      }
    },
    async close() {
      isClosed = true
      for (const client of retired) retire(client)
      await current.client.sql.end({ timeout: 3 })
      current.client.cut()
    },
  }
}

/** Waits in a queue for an item; leaves the queue at the time limit. */
function waitIn<Item>(queue: ((item: Item) => void)[], deadline: Omit<Deadline, 'giveUp'>): Promise<Item> {
  let take: (item: Item) => void = () => undefined
  const item = new Promise<Item>((resolve) => {
    take = resolve
    queue.push(take)
  })
  return within({ ...deadline, giveUp: () => void queue.splice(queue.indexOf(take), 1) }, item)
}
