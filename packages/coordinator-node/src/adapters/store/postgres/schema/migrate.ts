import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import type postgres from 'postgres'
import { z } from 'zod'
import { CrunchError } from '../../../../domain/errors.ts'
import { maskUrl } from '../session/address.ts'
import type { Database } from '../session/database.ts'
import { foreignDatabase, foreignRelations } from '../session/foreign-database.ts'
import { withPlainClient, withPlainConnection } from '../session/plain-connection.ts'
import { proveSessions } from '../session/prove-sessions.ts'
import { watchSession } from '../session/watch-session.ts'

/** Key of the lock for which concurrently starting workers queue; an arbitrary constant. */
const MIGRATION_LOCK = '7021455218093641'

interface KnownMigration {
  readonly tag: string
  readonly createdAt: number
  readonly hash: string
}

interface AppliedMigration {
  readonly createdAt: string
  readonly hash: string
}

/**
 * Migrates the database to the schema of this code, once even if several workers start concurrently. Never migrates back.
 * Rejects, before anything is written, with `STORE_UNSUITABLE` for a database of another program or behind a pooler that does
 * not keep sessions, `STORE_TOO_NEW` for one migrated by newer code, `STORE_CORRUPT` for one whose migrations differ from this
 * code's or whose encoding is not UTF8, `STORE_UNAVAILABLE` when it cannot be reached.
 */
export async function migrateDatabase(url: string): Promise<Database> {
  const { keepAlive, isNewest } = await withPlainConnection(url, async (sql) => ({
    keepAlive: await proveSessions(sql, url, { isThorough: false }),
    isNewest: await hasNewestSchema(sql, url),
  }))
  if (!isNewest) await migrateInTurn(url)
  return { url, keepAlive }
}

/** Waits for other migrating workers and for the statements without a time limit, but not for a lost session. */
async function migrateInTurn(url: string): Promise<void> {
  await withPlainClient(url, async ({ sql, cut }) => {
    const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
    const stopWatching = watchSession({ url, pid: row?.pid ?? 0, giveUp: cut })
    try {
      await sql`select pg_advisory_lock(${MIGRATION_LOCK}::text::int8)`
      if (!(await hasNewestSchema(sql, url))) await migrate(drizzle(sql), { migrationsFolder: migrationsFolder() })
    } finally {
      stopWatching()
    }
  })
}

/** False when migrations are pending. Rejects if this code could not use the database even after migrations. */
export async function hasNewestSchema(sql: postgres.Sql, url: string): Promise<boolean> {
  await checkEncoding(sql, url)
  const known = knownMigrations(migrationsFolder())
  // Reads one snapshot, because another worker may be migrating. An error ends the session and thus the transaction.
  await sql.unsafe('begin isolation level repeatable read read only')
  const relations = await foreignRelations(sql)
  const applied = await appliedMigrations(sql)
  await sql.unsafe('commit')
  const isOurs = applied.some(({ createdAt }) => known.some((migration) => migration.createdAt === Number(createdAt)))
  if (applied.length === 0 && relations.length > 0) throw foreignDatabase(url, relations)
  if (applied.length > 0 && !isOurs) throw foreignDatabase(url, ['drizzle.__drizzle_migrations', ...relations])
  return isUpToDate(known, applied, url)
}

async function checkEncoding(sql: postgres.Sql, url: string): Promise<void> {
  const [row] = await sql<{ encoding: string }[]>`select current_setting('server_encoding') as encoding`
  if (row?.encoding === 'UTF8') return
  const advice = "create it again with ENCODING 'UTF8' TEMPLATE template0"
  throw new CrunchError('STORE_CORRUPT', `the database ${maskUrl(url)} has the encoding ${row?.encoding}: ${advice}`)
}

async function appliedMigrations(sql: postgres.Sql): Promise<readonly AppliedMigration[]> {
  const [row] = await sql<{ exists: boolean }[]>`
    select to_regclass('drizzle.__drizzle_migrations') is not null as exists`
  if (row?.exists !== true) return []
  return sql<AppliedMigration[]>`
    select created_at as "createdAt", hash from drizzle.__drizzle_migrations order by created_at`
}

function isUpToDate(known: readonly KnownMigration[], applied: readonly AppliedMigration[], url: string): boolean {
  const byTime = new Map(known.map((migration) => [migration.createdAt, migration]))
  const newestKnown = Math.max(...known.map(({ createdAt }) => createdAt))
  for (const { createdAt, hash } of applied) {
    const migration = byTime.get(Number(createdAt))
    if (migration?.hash === hash) continue
    if (migration === undefined && Number(createdAt) > newestKnown) throw tooNew(url)
    const what = migration === undefined ? `a migration of ${createdAt}` : `the migration ${migration.tag}`
    const advice = 'use the version of @crunch/coordinator-node that made it, or an empty database'
    throw new CrunchError(
      'STORE_CORRUPT',
      `the database ${maskUrl(url)} has ${what} that this code does not have: ${advice}`,
    )
  }
  return applied.length === known.length
}

function tooNew(url: string): CrunchError {
  const advice = 'update @crunch/coordinator-node in this workspace, or use another database'
  return new CrunchError(
    'STORE_TOO_NEW',
    `the database ${maskUrl(url)} was migrated by a newer version than this one: ${advice}`,
  )
}

const journalSchema = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) })

function knownMigrations(folder: string): readonly KnownMigration[] {
  const journal = journalSchema.parse(JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')))
  return journal.entries.map(({ tag, when }) => {
    const statements = readFileSync(join(folder, `${tag}.sql`), 'utf8')
    return { tag, createdAt: when, hash: createHash('sha256').update(statements).digest('hex') }
  })
}

/** Finds this package's `migrations/` in a parent folder, from the sources as from the built files. */
function migrationsFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url))
  let folder = start
  for (let level = 0; level < 6; level += 1) {
    const candidate = join(folder, 'migrations')
    if (existsSync(join(candidate, 'meta/_journal.json'))) return candidate
    folder = dirname(folder)
  }
  throw new CrunchError(
    'STORE_CORRUPT',
    `no folder "migrations" is beside or above ${start}: install @crunch/coordinator-node again, and do not bundle it`,
  )
}
