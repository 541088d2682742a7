import { BrokenConnection } from '../session/broken-connection.ts'
import type { ConnectionLimits } from '../session/connection-limits.ts'
import type { Database } from '../session/database.ts'
import { type DedicatedConnection, openDedicatedConnection } from '../session/dedicated-connection.ts'
import { within } from '../session/within.ts'

export interface ListenOptions {
  readonly database: Database
  readonly limits: ConnectionLimits
  readonly channel: string
  readonly onNotify: (payload: string) => void
  /** Called once when the connection is lost. */
  readonly onLost: (cause: unknown) => void
}

/** Hears a channel on a connection of its own, which it checks all the time. */
export async function listen(options: ListenOptions): Promise<DedicatedConnection> {
  const { database, limits, channel, onNotify, onLost } = options
  const opened: DedicatedConnection = openDedicatedConnection(database, {
    onNotify,
    onLost() {
      clearInterval(timer)
      onLost(new BrokenConnection(`the connection that hears ${channel} was lost`))
    },
  })
  const deadline = { url: database.url, limitMs: limits.pingMs, giveUp: opened.cut }
  // Without checks, a broken connection on which only the server sends would never be detected.
  const timer = setInterval(() => {
    within(deadline, opened.sql.unsafe('select 1')).catch(() => undefined)
  }, limits.pingEveryMs)
  timer.unref()
  try {
    await within(deadline, opened.sql.unsafe(`listen ${channel}`))
  } catch (error) {
    clearInterval(timer)
    await opened.end()
    throw error
  }
  return {
    ...opened,
    async end() {
      clearInterval(timer)
      await opened.end()
    },
  }
}
