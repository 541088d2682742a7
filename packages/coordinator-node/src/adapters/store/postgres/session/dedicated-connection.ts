import { connect, type Sql } from './connect.ts'
import type { Database } from './database.ts'

/** A separate connection for something bound to its session: a transaction, a lease, a subscription. */
export interface DedicatedConnection {
  readonly sql: Sql
  /** Whether its session still lives. Ask right before each statement: afterwards, statements would go to another session. */
  isUsable(): boolean
  /** Ends it without calling `onLost`. */
  end(): Promise<void>
  /** Ends it at once, without waiting for the other side, and calls `onLost`. */
  cut(): void
}

export interface DedicatedOptions {
  readonly onNotify?: (payload: string) => void
  /** Called once when the session ends in any way other than `end`. */
  readonly onLost: () => void
  readonly limitMs?: number
}

export function openDedicatedConnection(
  database: Database,
  { onNotify, onLost, limitMs }: DedicatedOptions,
): DedicatedConnection {
  let isOver = false
  function lose(): void {
    if (isOver) return
    isOver = true
    // Later statements would silently get a new session, without the locks and transaction of the old one.
    client.cut()
    onLost()
  }
  const client = connect(database, {
    maxConnections: 1,
    ...(onNotify === undefined ? {} : { onNotify }),
    ...(limitMs === undefined ? {} : { limitMs }),
    onClose: lose,
  })
  return {
    sql: client.sql,
    isUsable: () => !isOver,
    async end() {
      isOver = true
      await client.sql.end({ timeout: 1 })
      client.cut()
    },
    cut: lose,
  }
}
