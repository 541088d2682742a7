import { withPlainConnection } from '../session/plain-connection.ts'
import { proveSessions } from '../session/prove-sessions.ts'
import { hasNewestSchema } from './migrate.ts'

/**
 * Logs in and looks whether this code can use the database; changes nothing. Migrations that are still to be run are no fault.
 * Rejects as `migrateDatabase` does, with the URL's password masked.
 */
export async function checkDatabase(url: string): Promise<void> {
  await withPlainConnection(url, async (sql) => {
    await proveSessions(sql, url, { isThorough: true })
    await hasNewestSchema(sql, url)
  })
}
