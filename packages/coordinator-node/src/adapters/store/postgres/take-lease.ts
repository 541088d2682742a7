import { createHash } from 'node:crypto'
import type { Lease } from '../../../ports/store.ts'
import { type DedicatedConnection, openDedicatedConnection } from './dedicated-connection.ts'
import type { Database } from './session/database.ts'

export interface LeaseTaker {
  take(name: string): Promise<Lease | null>
  close(): Promise<void>
}

/** Leases as session locks, each on a connection of its own: the server frees it when the holder dies. Locks are per database. */
export function createLeaseTaker(database: Database): LeaseTaker {
  const held = new Set<DedicatedConnection>()

  async function take(name: string): Promise<Lease | null> {
    let lose: () => void = () => undefined
    const lost = new Promise<void>((resolve) => {
      lose = resolve
    })
    const connection = openDedicatedConnection(database, {
      onLost() {
        held.delete(connection)
        lose()
      },
    })
    held.add(connection)
    const release = async (): Promise<void> => {
      held.delete(connection)
      await connection.end()
    }
    try {
      const [row] = await connection.sql<{ isTaken: boolean }[]>`
        select pg_try_advisory_lock(${lockNumber(name)}::text::int8) as "isTaken"`
      if (row?.isTaken === true) return { lost, release }
    } catch (error) {
      await release()
      throw error
    }
    await release()
    return null
  }

  return {
    take,
    async close() {
      await Promise.all([...held].map((connection) => connection.end()))
      held.clear()
    },
  }
}

/** 64 bits of a hash: two names share a lock only by an accident that never happens. */
function lockNumber(name: string): string {
  return createHash('sha256').update(`crunch lease ${name}`).digest().readBigInt64BE().toString()
}
