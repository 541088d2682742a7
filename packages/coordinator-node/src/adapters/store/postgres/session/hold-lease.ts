import type { Lease, LeaseState } from '../../../../ports/store-workers.ts'
import type { DedicatedConnection } from './dedicated-connection.ts'
import { beat, releaseRow } from './lease-row.ts'

/** Durations in milliseconds, measured by the monotonic clock of each process. */
export interface LeaseTimes {
  readonly heartbeatMs: number
  /** A holder that could not write a heartbeat for this long stops itself. */
  readonly holdMs: number
  /** A standby that has seen no heartbeat for this long takes over. Longer than `holdMs`, with a margin for statements in progress. */
  readonly takeoverMs: number
}

export const leaseTimes: LeaseTimes = { heartbeatMs: 2_000, holdMs: 10_000, takeoverMs: 20_000 }

/** A lease of this process, and the connection whose session holds it. */
export interface HeldLease extends Lease {
  /** Ends the lease, with a reason for its holder. */
  lose(reason: string): void
}

export interface HoldOptions {
  readonly connection: DedicatedConnection
  readonly name: string
  readonly generation: number
  readonly takenFrom: LeaseState | null
  readonly times: LeaseTimes
  /** Called once when the lease ends for any reason. */
  readonly onEnd: () => void
}

/** Holds a lease until it is released or lost. */
export function holdLease({ connection, name, generation, takenFrom, times, onEnd }: HoldOptions): HeldLease {
  let resolveLost: (reason: string) => void = () => undefined
  const lost = new Promise<string>((resolve) => {
    resolveLost = resolve
  })
  let isOver = false
  const stopBeating = keepBeating(times, () => beat(connection.sql, name, generation), lose)

  /** `false`: the lease had already ended. */
  function finish(): boolean {
    if (isOver) return false
    isOver = true
    stopBeating()
    onEnd()
    return true
  }

  function lose(reason: string): void {
    if (!finish()) return
    void connection.end()
    resolveLost(reason)
  }

  return {
    lost,
    takenFrom,
    lose,
    async release() {
      if (!finish()) return
      // The end of the session frees the lease anyway; this records that its holder released it.
      if (connection.isUsable()) await releaseRow(connection.sql, name, generation).catch(() => undefined)
      await connection.end()
    },
  }
}

/** Writes heartbeats, one at a time, and reports when the holder must stop. */
function keepBeating(
  { heartbeatMs, holdMs }: LeaseTimes,
  write: () => Promise<boolean>,
  lose: (reason: string) => void,
): () => void {
  let confirmedMs = performance.now()
  let isWriting = false
  async function writeOne(): Promise<void> {
    isWriting = true
    const sentMs = performance.now()
    try {
      if (await write()) confirmedMs = sentMs
      else lose('another process has taken it over')
    } catch {
      // The connection reports its own end; a slow heartbeat has time until `holdMs`.
    } finally {
      isWriting = false
    }
  }
  const timer = setInterval(() => {
    if (performance.now() - confirmedMs > holdMs) lose(`no heartbeat could be written for ${holdMs / 1_000} s`)
    else if (!isWriting) void writeOne()
  }, heartbeatMs)
  timer.unref()
  return () => clearInterval(timer)
}
