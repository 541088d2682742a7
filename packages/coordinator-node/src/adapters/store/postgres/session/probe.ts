import type { CrunchError } from '../../../../domain/errors.ts'
import { connect, type Sql } from './connect.ts'
import type { Database } from './database.ts'
import { storeError, unavailable } from './store-error.ts'
import { within } from './within.ts'

/** Reads on separate connections, not queued in the pool, within a time limit that holds in any state of the database. */
export interface Probe<Reads> {
  /** Rejects with `STORE_UNAVAILABLE` once `limitMs` have passed. */
  run<Result>(limitMs: number, read: (reads: Reads) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** A connection is reused only for this long, so that a check also shows whether the server accepts new clients. */
const keptMs = 1_000

interface Line<Reads> {
  readonly reads: Reads
  /** Closes it at once, whether or not the server still answers. */
  cut(): void
}

export function createProbe<Reads>(database: Database, readsOf: (sql: Sql) => Reads): Probe<Reads> {
  const lines = new Set<Line<Reads>>()
  const idle = new Set<Line<Reads>>()
  let ended: CrunchError | undefined

  function open(limitMs: number): Line<Reads> {
    // A connection lost during a read is not reopened for the rest of the read.
    const client = connect(database, { maxConnections: 1, limitMs, onClose: () => line.cut() })
    const line: Line<Reads> = {
      reads: readsOf(client.sql),
      cut() {
        idle.delete(line)
        lines.delete(line)
        client.cut()
      },
    }
    lines.add(line)
    return line
  }

  function keep(line: Line<Reads>): void {
    idle.add(line)
    setTimeout(() => {
      // If another read uses it, that read will put it back.
      if (idle.has(line)) line.cut()
    }, keptMs).unref()
  }

  return {
    async run(limitMs, read) {
      if (ended !== undefined) throw ended
      const [kept] = idle
      const line = kept ?? open(limitMs)
      idle.delete(line)
      try {
        const deadline = { url: database.url, limitMs, giveUp: line.cut }
        const result = await within(deadline, read(line.reads))
        if (lines.has(line)) keep(line)
        return result
      } catch (error) {
        line.cut()
        throw ended ?? storeError(error, database.url)
      }
    },
    async close() {
      ended = unavailable(database.url, 'is closed for this store: open a new one')
      for (const line of lines) line.cut()
    },
  }
}
