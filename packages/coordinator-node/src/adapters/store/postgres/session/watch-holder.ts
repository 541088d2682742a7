import type { DedicatedConnection } from './dedicated-connection.ts'
import { evict, type LeaseRow, readLease } from './lease-row.ts'

/** The last heartbeat that a standby saw, and when it first saw it. */
interface Seen {
  readonly row: LeaseRow
  readonly sinceMs: number
}

/** Watches the heartbeat of a lease's holder, and ends the holder's session when the heartbeat has not changed for `takeoverMs`. */
export function createHolderWatch(takeoverMs: number) {
  const seen = new Map<string, Seen>()
  return {
    async look({ sql }: DedicatedConnection, name: string, lock: string): Promise<void> {
      const row = await readLease(sql, name)
      // The holder is just taking the lease, or is an older version without a heartbeat: only its lock is visible.
      if (row === null) return
      const known = seen.get(name)
      const isSame = known?.row.generation === row.generation && known.row.heartbeatAt === row.heartbeatAt
      if (known === undefined || !isSame) {
        seen.set(name, { row, sinceMs: performance.now() })
        return
      }
      if (performance.now() - known.sinceMs < takeoverMs) return
      seen.delete(name)
      await evict(sql, name, lock, row)
    },
    forget: (name: string): void => {
      seen.delete(name)
    },
  }
}
