import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkDatabase } from './check-database.ts'
import { migrateDatabase } from './migrate.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(() => database.drop())

async function query<Row>(action: (sql: postgres.Sql) => PromiseLike<Row>): Promise<Row> {
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  try {
    return await action(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

it('accepts an empty database and leaves it empty', async () => {
  await checkDatabase(database.url)
  const schemas = await query((sql) => sql`select 1 from information_schema.schemata where schema_name = 'drizzle'`)
  expect(schemas).toHaveLength(0)
})

it.each([
  ['a wrong password', (url: URL) => Object.assign(url, { password: 'wrong-one' }), 'password'],
  ['a database that does not exist', (url: URL) => Object.assign(url, { pathname: '/no_such_one' }), 'no_such_one'],
])('refuses %s', async (_, change, message) => {
  const checking = checkDatabase(change(new URL(database.url)).href)
  await expect(checking).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining(message),
  })
  await expect(checking).rejects.not.toThrow('wrong-one')
})

it('refuses a schema that is too new', async () => {
  await migrateDatabase(database.url)
  await checkDatabase(database.url)
  await query(
    (sql) => sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 99999999999999)`,
  )
  await expect(checkDatabase(database.url)).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
})
