import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it } from 'vitest'
import journal from '../../../../migrations/meta/_journal.json' with { type: 'json' }
import newestSnapshot from '../../../../migrations/meta/0002_snapshot.json' with { type: 'json' }
import { createTestDatabase, type TestDatabase } from '../../embedded-postgres/test-database.ts'
import { migrateDatabase } from './migrate.ts'
import { openPostgresStore } from './postgres-store.ts'
import * as schema from './schema.ts'
import { kill, openStoreInChild, outcomeOf } from './store-in-child.testkit.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createTestDatabase()
})

afterEach(async () => {
  await database.drop()
})

async function withSql<Result>(action: (sql: postgres.Sql) => Promise<Result>, url = database.url): Promise<Result> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await action(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

const appliedCount = () =>
  withSql(async (sql) => (await sql`select count(*)::int as count from drizzle.__drizzle_migrations`)[0]?.count)

it('makes the tables, and does nothing the second time', async () => {
  await migrateDatabase(database.url)
  await migrateDatabase(database.url)
  const tables = await withSql(
    (sql) => sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  )
  expect(tables.map(({ name }) => name)).toEqual([
    'backfill_jobs',
    'checkpoints',
    'feed_ingestion_state',
    'feed_record_revisions',
    'feed_records',
    'inputs',
    'leaderboards',
    'models',
    'predictions',
    'scheduled_prediction_configs',
    'scores',
    'snapshots',
  ])
  expect(await appliedCount()).toBe(journal.entries.length)
})

it('migrates once when many stores open at the same time', async () => {
  const stores = await Promise.all(
    Array.from({ length: 8 }, () => openPostgresStore({ url: database.url, maxConnections: 1 })),
  )
  expect(await Promise.all(stores.map((store) => store.roundCounts()))).toHaveLength(8)
  await Promise.all(stores.map((store) => store.close()))
  expect(await appliedCount()).toBe(journal.entries.length)
})

it('migrates once when several processes start at the same time', async () => {
  const children = Array.from({ length: 3 }, () => openStoreInChild(database.url, 'first come'))
  try {
    const outcomes = await Promise.all(children.map(outcomeOf))
    expect(outcomes.filter(({ hasLease }) => hasLease)).toHaveLength(1)
    expect(await appliedCount()).toBe(journal.entries.length)
  } finally {
    await Promise.all(children.map(kill))
  }
})

it('refuses a database that newer code has migrated', async () => {
  await migrateDatabase(database.url)
  const future = 99_999_999_999_999
  await withSql((sql) => sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', ${future})`)
  const opening = openPostgresStore({ url: database.url })
  await expect(opening).rejects.toMatchObject({
    code: 'STORE_TOO_NEW',
    message: expect.stringMatching(/newer version.*update @crunch\/coordinator-node/),
  })
})

it('refuses a database whose migrations were others', async () => {
  await migrateDatabase(database.url)
  await withSql((sql) => sql`update drizzle.__drizzle_migrations set hash = 'edited'`)
  await expect(migrateDatabase(database.url)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: expect.stringContaining('0000_first'),
  })
})

it('refuses a database that cannot hold every text', async () => {
  const name = `${new URL(database.url).pathname.slice(1)}_ascii`
  await withSql((sql) => sql.unsafe(`create database ${name} encoding 'SQL_ASCII' locale 'C' template template0`))
  const url = new URL(database.url)
  url.pathname = `/${name}`
  try {
    await expect(migrateDatabase(url.href)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('SQL_ASCII'),
    })
  } finally {
    await withSql((sql) => sql.unsafe(`drop database ${name} with (force)`))
  }
})

it('has a migration for everything in the schema', async () => {
  expect(journal.entries.at(-1)?.tag).toMatch(/^0002_/)
  const current = generateDrizzleJson(schema, newestSnapshot.id)
  const previous = newestSnapshot as unknown as typeof current
  expect(await generateMigration(previous, current)).toEqual([])
})
