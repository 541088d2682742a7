import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { Lease } from '../../../ports/store-workers.ts'
import type { Database } from './session/database.ts'
import { type DedicatedConnection, openDedicatedConnection } from './session/dedicated-connection.ts'
import { type HeldLease, holdLease, type LeaseTimes } from './session/hold-lease.ts'
import { takeRow } from './session/lease-row.ts'
import { createHolderWatch } from './session/watch-holder.ts'
import { within } from './session/within.ts'

export interface LeaseTaker {
  take(name: string): Promise<Lease | null>
  /** The number under which this process last took a lease; `null`: never. Unchanged when the lease is lost. */
  generation(name: string): number | null
  close(): Promise<void>
}

/**
 * A lease is a session lock on a dedicated connection, and a row. The lock is released at once when its holder dies. If
 * the server does not notice that, or the holder hangs, the heartbeat in the row stops. A standby only checks whether the
 * heartbeat changes, so that wall clocks do not matter.
 */
export function createLeaseTaker(database: Database, times: LeaseTimes, callLimitMs: number): LeaseTaker {
  const held = new Map<DedicatedConnection, HeldLease>()
  const generations = new Map<string, number>()
  const watch = createHolderWatch(times.takeoverMs)
  /** Connection of a standby, which requests the lease twice a second. */
  const idle: DedicatedConnection[] = []
  let isClosed = false

  function connect(): DedicatedConnection {
    for (let known = idle.pop(); known !== undefined; known = idle.pop()) if (known.isUsable()) return known
    const opened: DedicatedConnection = openDedicatedConnection(database, {
      onLost: () => held.get(opened)?.lose('its connection to the database was lost'),
    })
    return opened
  }

  async function ask(connection: DedicatedConnection, name: string): Promise<Lease | null> {
    const lock = lockNumber(name)
    const [row] = await connection.sql<{ isTaken: boolean }[]>`
      select pg_try_advisory_lock(${lock}::text::int8) as "isTaken"`
    if (row?.isTaken !== true) {
      await watch.look(connection, name, lock)
      return null
    }
    const { generation, before } = await takeRow(connection.sql, name, ownName())
    generations.set(name, generation)
    watch.forget(name)
    const onEnd = (): void => {
      held.delete(connection)
    }
    const lease = holdLease({ connection, name, generation, takenFrom: before, times, onEnd })
    held.set(connection, lease)
    return lease
  }

  return {
    async take(name) {
      const connection = connect()
      try {
        const deadline = { url: database.url, limitMs: callLimitMs, giveUp: connection.cut }
        const lease = await within(deadline, ask(connection, name))
        if (lease === null && !isClosed && idle.length === 0) idle.push(connection)
        else if (lease === null) await connection.end()
        return lease
      } catch (error) {
        await connection.end()
        throw error
      }
    },
    generation: (name) => generations.get(name) ?? null,
    async close() {
      isClosed = true
      const leases = [...held.values()].map((lease) => lease.release())
      await Promise.all([...leases, ...idle.splice(0).map((connection) => connection.end())])
    },
  }
}

function ownName(): string {
  return `${hostname()}, process ${process.pid}`
}

/** 64 bits of a hash, so that collisions of two names are practically impossible. */
function lockNumber(name: string): string {
  return createHash('sha256').update(`crunch lease ${name}`).digest().readBigInt64BE().toString()
}
