import { connect, type Sql } from './connect.ts'
import type { Database } from './session/database.ts'

/** What is made of a client, of the client that is to be used now. */
export interface Pool<Made> {
  current(): Made
  close(): Promise<void>
}

/** How long statements on the other connections of a client that lost one may still run. */
const retirementMs = 60_000

/**
 * A client, replaced as a whole once one of its connections is lost: a client of postgres 3.4.9 that connects again may give the
 * next statement the error of the last one, or never answer. Nothing connects before its first statement.
 */
export function createPool<Made>(database: Database, maxConnections: number, make: (sql: Sql) => Made): Pool<Made> {
  const retired = new Set<Sql>()
  let isClosed = false
  let current = open()

  function open(): { readonly sql: Sql; readonly made: Made } {
    const sql = connect(database, { maxConnections, onClose: () => replace(sql) })
    return { sql, made: make(sql) }
  }

  function replace(lost: Sql): void {
    if (isClosed || current.sql !== lost) return
    current = open()
    retired.add(lost)
    const retire = (): void => {
      retired.delete(lost)
      void lost.end({ timeout: 1 })
    }
    setTimeout(retire, retirementMs).unref()
  }

  return {
    current: () => current.made,
    async close() {
      isClosed = true
      await Promise.all([current.sql.end({ timeout: 3 }), ...[...retired].map((sql) => sql.end({ timeout: 0 }))])
      retired.clear()
    },
  }
}
