import { connect, type Sql } from './connect.ts'
import type { Database } from './database.ts'

/** A separate connection for what lives as long as its session: a transaction, a lease, a subscription. */
export interface DedicatedConnection {
  readonly sql: Sql
  /** Whether its session still lives. Asked right before a statement: one after its end would go to another session. */
  isUsable(): boolean
  /** Ends it; `onLost` is then not called. */
  end(): Promise<void>
  /** Ends it at once, without a word to the other side, which may not answer any more; `onLost` is called. */
  cut(): void
}

export interface DedicatedOptions {
  readonly onNotify?: (payload: string) => void
  /** Called once when the session ends other than by `end`. */
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
    // Whatever would use this client now would silently get a new session without what the old one held.
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
