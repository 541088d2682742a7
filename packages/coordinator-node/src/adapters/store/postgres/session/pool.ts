import { type Client, connect, type Sql } from './connect.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { Database } from './database.ts'
import { within } from './within.ts'

/** What is made of a client, of the client that is to be used now. */
export interface Pool<Made> {
  current(): Made
  /** Rejects with `STORE_UNAVAILABLE` when the call does not end in time; whatever it waits for is then given up. */
  run<Result>(call: (made: Made) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

export interface PoolOptions {
  readonly maxConnections: number
  readonly limits: ConnectionLimits
}

/**
 * A client, replaced as a whole once one of its connections is lost: a client of postgres 3.4.9 that connects again may give the
 * next statement the error of the last one, or never answer. So it is once a call did not end in time, since TCP needs a
 * quarter of an hour to give up a connection that is broken on the other side. Nothing connects before its first statement.
 */
export function createPool<Made>(
  database: Database,
  { maxConnections, limits }: PoolOptions,
  make: (sql: Sql) => Made,
): Pool<Made> {
  /** How long statements on the other connections of a client that lost one may still run. */
  const retirementMs = limits.callMs
  const retired = new Set<Client>()
  let isClosed = false
  let current = open()

  function open(): { readonly client: Client; readonly made: Made } {
    const client = connect(database, { maxConnections, limitMs: limits.statementMs, onClose: () => replace(client) })
    return { client, made: make(client.sql) }
  }

  function replace(lost: Client): void {
    if (isClosed || current.client !== lost) return
    current = open()
    retired.add(lost)
    setTimeout(() => retire(lost), retirementMs).unref()
  }

  function retire(lost: Client): void {
    retired.delete(lost)
    lost.cut()
  }

  return {
    current: () => current.made,
    run(call) {
      const { client, made } = current
      const giveUp = (): void => {
        replace(client)
        retire(client)
      }
      return within({ url: database.url, limitMs: limits.callMs, giveUp }, call(made))
    },
    async close() {
      isClosed = true
      for (const client of retired) retire(client)
      await current.client.sql.end({ timeout: 3 })
      current.client.cut()
    },
  }
}
