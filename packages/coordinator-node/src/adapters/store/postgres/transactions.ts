import { BrokenConnection } from './session/broken-connection.ts'
import type { Query } from './session/connect.ts'
import type { Database } from './session/database.ts'
import { type DedicatedConnection, openDedicatedConnection } from './session/dedicated-connection.ts'
import type { PoolOptions } from './session/pool.ts'
import { within } from './session/within.ts'

export interface Transactions {
  /** Runs statements in one transaction. If it rejects, nothing was committed, unless the answer to the commit was lost. */
  run<Result>(work: (sql: Query) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/**
 * Transactions on separate connections instead of the client's `begin`. If its connection breaks, postgres 3.4.9 sends the rollback
 * to a closed socket (an uncaught exception, its issue 1208), or continues with the statements of the transaction in a new
 * session, outside of any transaction. Here a broken connection is never used again.
 */
export function createTransactions(database: Database, { maxConnections, limits }: PoolOptions): Transactions {
  const idle: DedicatedConnection[] = []
  const open = new Set<DedicatedConnection>()
  const waiting: (() => void)[] = []
  let busyCount = 0
  let isClosed = false

  function acquire(): DedicatedConnection {
    for (let known = idle.pop(); known !== undefined; known = idle.pop()) if (known.isUsable()) return known
    const connection = openDedicatedConnection(database, {
      limitMs: limits.statementMs,
      onLost: () => open.delete(connection),
    })
    open.add(connection)
    return connection
  }

  async function discard(connection: DedicatedConnection): Promise<void> {
    open.delete(connection)
    await connection.end()
  }

  async function run<Result>(work: (sql: Query) => Promise<Result>): Promise<Result> {
    if (busyCount >= maxConnections) await new Promise<void>((resolve) => waiting.push(resolve))
    busyCount += 1
    try {
      const connection = acquire()
      const deadline = { url: database.url, limitMs: limits.callMs, giveUp: connection.cut }
      const result = await within(deadline, transact(connection, work, discard))
      if (isClosed) await discard(connection)
      else idle.push(connection)
      return result
    } finally {
      busyCount -= 1
      waiting.shift()?.()
    }
  }

  return {
    run,
    async close() {
      isClosed = true
      await Promise.all([...open].map(discard))
    },
  }
}

async function transact<Result>(
  connection: DedicatedConnection,
  work: (sql: Query) => Promise<Result>,
  discard: (connection: DedicatedConnection) => Promise<void>,
): Promise<Result> {
  try {
    await connection.sql.unsafe('begin')
    const result = await work(connection.sql)
    if (!connection.isUsable()) throw new BrokenConnection('the connection broke before the commit')
    await connection.sql.unsafe('commit')
    return result
  } catch (error) {
    // Ending the session makes the server roll back. Transactions fail too rarely to justify the risks of an explicit rollback.
    await discard(connection)
    throw error
  }
}
