import postgres from 'postgres'
import { storeError } from '../store-error.ts'
import { addressOf } from './address.ts'

/** A client with one connection and PostgreSQL's own types. The caller ends it. */
export function openPlainConnection(url: string): postgres.Sql {
  const { url: address, path } = addressOf(url)
  return postgres(address, {
    max: 1,
    connect_timeout: 10,
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => undefined,
    ...(path === undefined ? {} : { path }),
    connection: { application_name: 'crunch migration' },
  })
}

/** Runs `action` with such a client, and turns what goes wrong into the engine's errors. */
export async function withPlainConnection<Result>(
  url: string,
  action: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = openPlainConnection(url)
  try {
    return await action(sql)
  } catch (error) {
    throw storeError(error, url)
  } finally {
    // Ends the session, and with it the lock.
    await sql.end({ timeout: 5 })
  }
}
