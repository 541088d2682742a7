import type { Change } from '../../../../ports/store-workers.ts'
import { jsonParameter, type Sql } from '../session/connect.ts'

/** The channel on which changes are announced. */
export const changeChannel = 'crunch_changes'

/** Beyond it, single changes are not worth listing. */
const maxWaiting = 1_000
/** A notification is limited to 7,999 bytes. */
const maxBytes = 7_500
const retryMs = 1_000

/** Runs a statement on a connection of the store. */
export type RunStatement = (statement: (session: { readonly sql: Sql }) => Promise<unknown>) => Promise<unknown>

interface ChangeAnnouncer {
  announce(change: Change): void
  /** Waits for the announcement that is being sent. */
  close(): Promise<void>
}

/**
 * Sends changes without delaying their writers: those that come while a statement runs are sent together with the next one. What
 * could not be sent is sent again once the database answers.
 */
export function createChangeAnnouncer(run: RunStatement): ChangeAnnouncer {
  const waiting = new Set<Change>()
  let sending: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined
  let isClosed = false

  function add(change: Change): void {
    const isTooLong = Buffer.byteLength(change) > maxBytes
    if (waiting.size >= maxWaiting) waiting.clear()
    else if (!isTooLong) {
      waiting.add(change)
      return
    }
    waiting.add('all')
  }

  async function send(): Promise<void> {
    while (waiting.size > 0) {
      const changes = [...waiting]
      waiting.clear()
      try {
        await run(({ sql }) => notify(sql, changes))
      } catch {
        // Readers lose nothing but time: the rows are stored.
        for (const change of changes) add(change)
        if (!isClosed) retry = setTimeout(start, retryMs).unref()
        break
      }
    }
    sending = undefined
  }

  function start(): void {
    clearTimeout(retry)
    if (waiting.size > 0) sending ??= send()
  }

  return {
    announce(change) {
      add(change)
      start()
    },
    async close() {
      isClosed = true
      clearTimeout(retry)
      await sending
    },
  }
}

async function notify(sql: Sql, changes: readonly Change[]): Promise<void> {
  await sql`
    select pg_notify(${changeChannel}, change)
    from json_array_elements_text(${jsonParameter(sql, { changes })}->'changes') as c(change)`
}
