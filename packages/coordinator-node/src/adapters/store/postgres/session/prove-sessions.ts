import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { CrunchError } from '../../../../domain/errors.ts'
import { maskUrl } from './address.ts'
import { connect, sessionLimits } from './connect.ts'
import type { KeepAlive } from './database.ts'
import { keepAlive } from './keep-alive.ts'
import { openPlainClient } from './plain-connection.ts'

/**
 * Proves that a connection is one session of the server, and returns the accepted keep-alive settings. Leases, announcements
 * and prepared statements need sessions: a pooler in transaction mode would grant the same lease twice.
 * Rejects with `STORE_UNSUITABLE` behind a pooler that does not keep sessions or drops the settings of a session.
 * @param isThorough tests this even if nothing points to a pooler
 */
export async function proveSessions(
  sql: postgres.Sql,
  url: string,
  { isThorough }: { readonly isThorough: boolean },
): Promise<KeepAlive> {
  const rows = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  // The server sends each client the id of its server process; a pooler sends an invented number.
  const isPooled = rows[0]?.pid !== rows.state.pid
  if (isPooled || isThorough) await proveKept(sql, url)
  if (!isPooled) return keepAlive(sql)
  await proveSettings(url)
  // The server's client is the pooler, which must monitor its own clients.
  return {}
}

/** Time limit for a pooler to provide a session. With enough sessions, clients do not wait. */
const sessionWaitMs = 5_000

/** Session state that is lost if a pooler runs a statement in another session. */
interface Kept {
  readonly 'the session itself': boolean
  readonly 'its settings': boolean
  readonly 'its advisory locks': boolean
  readonly LISTEN: boolean
  readonly 'its prepared statements': boolean
}

async function proveKept(sql: postgres.Sql, url: string): Promise<void> {
  const mark = `crunch_${randomBytes(8).toString('hex')}`
  const lock = randomBytes(4).readInt32BE()
  const others = [openPlainClient(url), openPlainClient(url)]
  try {
    const [first] = await sql<{ pid: number }[]>`
      select pg_backend_pid() as pid, set_config('crunch.mark', ${mark}, false), pg_advisory_lock(${lock}::int8)`
    await sql.unsafe(`listen ${mark}`)
    await sql.unsafe(`prepare ${mark} as select 1`)
    // Open transactions occupy the spare sessions of a pooler: two of them, since it may hand out sessions in turn.
    for (const other of others) {
      await takeSession(other.sql, url, first?.pid)
    }
    for (let look = 0; look < 3; look += 1) {
      const [kept] = await sql<[Kept]>`select pg_backend_pid() = ${first?.pid ?? 0} as "the session itself",
        coalesce(current_setting('crunch.mark', true) = ${mark}, false) as "its settings",
        exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted
          and objid = ${lock >>> 0}::int8::oid) as "its advisory locks",
        exists (select from pg_listening_channels() as channel where channel = ${mark}) as "LISTEN",
        exists (select from pg_prepared_statements where name = ${mark}) as "its prepared statements"`
      const lost = Object.entries(kept).flatMap(([what, isKept]) => (isKept ? [] : [what]))
      if (lost.length > 0) throw keepsNoSessions(url, lost)
    }
    await sql.unsafe(`unlisten ${mark}; deallocate ${mark}`)
    await sql`select pg_advisory_unlock(${lock}::int8)`
  } finally {
    await Promise.all(others.map((other) => other.end()))
  }
}

/** Begins a transaction and leaves it open; rejects if it runs in the session `pid`. */
async function takeSession(sql: postgres.Sql, url: string, pid: number | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const cause = `the pooler in front of it gives no other session within ${sessionWaitMs / 1_000} s`
    const giveUp = () => reject(unsuitable(url, `${cause}: raise its default_pool_size to 20 or more, or ${direct}`))
    timer = setTimeout(giveUp, sessionWaitMs)
  })
  const taken = async (): Promise<void> => {
    await sql.unsafe('select 1')
    // A pooler in statement mode closes the connection of a client that begins a transaction.
    await sql.unsafe('begin').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'CONNECTION_CLOSED' ? keepsNoSessions(url, ['transactions']) : error
    })
    const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
    // The next statement of the first client would have to wait for this transaction.
    if (row?.pid === pid) throw keepsNoSessions(url, ['the session itself'])
  }
  try {
    await Promise.race([taken(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Rejects if the sessions behind a pooler lack the time limits on which the engine relies. */
async function proveSettings(url: string): Promise<void> {
  const names = Object.keys(sessionLimits)
  const { sql, cut } = connect({ url, keepAlive: {} }, { maxConnections: 1 })
  try {
    const missing = await sql<{ name: string }[]>`
      select name from pg_settings
      where name in ${sql(names)} and setting = '0'`
    if (missing.length === 0) return
    const role = "alter role NAME set statement_timeout = '60s'"
    const lost = missing.map(({ name }) => name).join(', ')
    throw unsuitable(url, `the pooler in front of it drops ${lost}: set them for the role (${role}), or ${direct}`)
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === '08P01')) throw error
    const ignored = ['extra_float_digits', ...names].join(', ')
    const fix = `set ignore_startup_parameters = ${ignored} in the pooler, and these limits for the role`
    throw unsuitable(
      url,
      `the pooler in front of it refuses a session's settings (${error.message}): ${fix}, or ${direct}`,
    )
  } finally {
    await sql.end({ timeout: 1 })
    cut()
  }
}

const direct = 'connect to PostgreSQL directly'

function keepsNoSessions(url: string, lost: readonly string[]): CrunchError {
  const cause = `it is reached through a pooler that does not keep sessions (lost between two statements: ${lost.join(', ')})`
  return unsuitable(url, `${cause}: ${direct}, or set pool_mode = session in the pooler`)
}

function unsuitable(url: string, what: string): CrunchError {
  return new CrunchError('STORE_UNSUITABLE', `the database ${maskUrl(url)} cannot be used: ${what}`)
}
