import { withPlainConnection } from '../session/plain-connection.ts'
import { proveSessions } from '../session/prove-sessions.ts'
import { hasNewestSchema } from './migrate.ts'

/**
 * Logs in and checks whether this code can use the database; changes nothing. Pending migrations are not an error.
 * Rejects as `migrateDatabase` does, with the URL's password masked.
 */
export async function checkDatabase(url: string): Promise<void> {
  await withPlainConnection(url, async (sql) => {
    await proveSessions(sql, url, { isThorough: true })
    await hasNewestSchema(sql, url)
  })
}
