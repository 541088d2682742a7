import postgres from 'postgres'
import type { KeepAlive } from './database.ts'

/**
 * By default a server keeps the session and locks of a vanished client for about two hours. With these settings it probes after
 * 5 s of silence and drops a client that has not answered for 20 s. In seconds unless noted.
 */
const wanted: KeepAlive = {
  tcp_keepalives_idle: 5,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
  /** Milliseconds; PostgreSQL 12 and newer. */
  tcp_user_timeout: 20_000,
  /** Milliseconds; PostgreSQL 14 and newer, on systems that can see a closed connection while a statement runs. */
  client_connection_check_interval: 5_000,
}

/** SQLSTATEs for settings that are unknown, invalid on this system, not supported, or not permitted. */
const refusals = new Set(['42704', '22023', '0A000', '42501'])

/** Sets them for the session of a client with one connection; returns those that the server accepted. */
export async function keepAlive(sql: postgres.Sql): Promise<KeepAlive> {
  const taken: Record<string, number> = {}
  for (const [name, value] of Object.entries(wanted)) {
    try {
      await sql`select set_config(${name}, ${String(value)}, false)`
      taken[name] = value
    } catch (error) {
      if (!(error instanceof postgres.PostgresError && refusals.has(error.code))) throw error
    }
  }
  return taken
}
