import { withPlainConnection } from './plain-connection.ts'

const lookEveryMs = 5_000

/** A session that executes a statement for a waiting client. */
export interface WatchedSession {
  readonly url: string
  readonly pid: number
  /** Called when the session is no longer working: its client would wait forever. */
  readonly giveUp: () => void
  readonly everyMs?: number
}

/**
 * For statements without a time limit, such as those of a migration: asks the server over other connections whether the session is
 * still working. If it is gone or idle twice in a row, its answer was lost. The returned function stops watching.
 */
export function watchSession({ url, pid, giveUp, everyMs = lookEveryMs }: WatchedSession): () => void {
  let idleCount = 0
  let isLooking = false
  async function look(): Promise<void> {
    isLooking = true
    try {
      const isAtWork = await withPlainConnection(
        url,
        async (sql) => {
          const rows = await sql`select 1 from pg_stat_activity where pid = ${pid} and state <> 'idle'`
          return rows.length > 0
        },
        everyMs,
      )
      idleCount = isAtWork ? 0 : idleCount + 1
      if (idleCount >= 2) giveUp()
    } catch {
      // The database is unreachable at the moment, which says nothing about the session.
      idleCount = 0
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => {
    if (!isLooking) void look()
  }, everyMs)
  return () => clearInterval(timer)
}
