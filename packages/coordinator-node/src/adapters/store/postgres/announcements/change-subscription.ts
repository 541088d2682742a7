import type { Change, ChangeListener } from '../../../../ports/store-workers.ts'
import { decodeText } from '../schema/text-codec.ts'
import type { ConnectionLimits } from '../session/connection-limits.ts'
import type { Database } from '../session/database.ts'
import type { DedicatedConnection } from '../session/dedicated-connection.ts'
import { changeChannel } from './change-announcer.ts'
import { listen } from './listen.ts'

const retryMs = 1_000

export interface ChangeConnection {
  readonly database: Database
  readonly limits: ConnectionLimits
}

/**
 * Hears changes until it is ended. A lost connection is opened again until that succeeds; then the listener hears that it may have
 * missed some. Rejects when the first connection cannot be opened.
 */
export async function subscribeChanges(
  { database, limits }: ChangeConnection,
  listener: ChangeListener,
): Promise<() => Promise<void>> {
  let connection: DedicatedConnection | undefined
  let retry: NodeJS.Timeout | undefined
  let isEnded = false

  async function open(): Promise<void> {
    let isOpen = false
    const opened = await listen({
      ...{ database, limits, channel: changeChannel },
      onNotify: (payload) => listener.changed(decodeText(payload) as Change),
      onLost: () => {
        // Before that, opening it rejects.
        if (isOpen) void reopen()
      },
    })
    isOpen = true
    connection = opened
    if (isEnded) await opened.end()
    else if (!opened.isUsable()) void reopen()
  }

  async function reopen(): Promise<void> {
    if (isEnded) return
    try {
      await open()
    } catch {
      // The database is still away, which the report's own reads show.
      if (!isEnded) retry = setTimeout(reopen, retryMs).unref()
      return
    }
    if (!isEnded) listener.missed()
  }

  await open()
  return async () => {
    isEnded = true
    clearTimeout(retry)
    await connection?.end()
  }
}
