import { connect, type Sql } from './connect.ts'
import type { Database } from './database.ts'

/** A separate connection for something bound to a session: a transaction, a lease, a subscription. */
export interface DedicatedConnection {
  readonly sql: Sql
  /** Whether its session is still alive. Check right before each statement: after a loss, statements would go to another session. */
  isUsable(): boolean
  /** Closes it without calling `onLost`. */
  end(): Promise<void>
  /** Closes it at once, without waiting for the server, and calls `onLost`. */
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
    // Otherwise later statements would silently use a new session, without the locks and transaction of the old one.
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
