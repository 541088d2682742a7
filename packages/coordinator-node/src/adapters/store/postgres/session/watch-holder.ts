import type { DedicatedConnection } from './dedicated-connection.ts'
import { evict, type LeaseRow, readLease } from './lease-row.ts'

/** A heartbeat that a standby has seen, and since when it has seen no other. */
interface Seen {
  readonly row: LeaseRow
  readonly sinceMs: number
}

/** Looks at the heartbeat of a lease's holder, and ends the holder's session once it has stood still for `takeoverMs`. */
export function createHolderWatch(takeoverMs: number) {
  const seen = new Map<string, Seen>()
  return {
    async look({ sql }: DedicatedConnection, name: string, lock: string): Promise<void> {
      const row = await readLease(sql, name)
      // A holder that is just taking the lease, or an older version that has no heartbeat: only its lock shows it.
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
