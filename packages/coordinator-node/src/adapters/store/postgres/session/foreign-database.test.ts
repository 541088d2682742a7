import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openPostgresStore } from '../postgres-store.ts'
import { checkDatabase } from '../schema/check-database.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createTestDatabase()
})

afterEach(() => database.drop())

async function run(statements: string): Promise<readonly unknown[]> {
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  try {
    return await sql.unsafe(statements)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Everything that a migration could create or change, which would get a new OID or file node. */
const catalog = () =>
  run(`
    select 'class ' || oid || relname || relfilenode || relnatts || relchecks as entry from pg_class
    union all select 'schema ' || oid || nspname from pg_namespace
    union all select 'type ' || oid || typname from pg_type
    union all select 'function ' || oid || proname from pg_proc
    union all select 'constraint ' || oid || conname from pg_constraint
    union all select 'setting ' || setdatabase || setconfig::text from pg_db_role_setting
    order by 1`)

it.each([
  [
    'a Django application',
    'create table django_migrations (id int); create table auth_user (id int)',
    /belongs to a Django application: it holds public.auth_user, public.django_migrations/,
  ],
  [
    'the Python engine, whose tables have the same names',
    'create table inputs (id text); create table predictions (id text); create table merkle_nodes (id text)',
    /belongs to the Python engine: it holds public.inputs, public.merkle_nodes, public.predictions/,
  ],
  ['one table with an engine name', 'create table models (name text)', /it holds public.models\. Nothing was written/],
  ['a table in a schema of its own', 'create schema shop; create table shop.orders (id int)', /it holds shop.orders/],
  ['a view alone', 'create view today as select now() as at', /it holds public.today/],
  [
    'another program that uses the same migrations library',
    `create schema drizzle; create table drizzle.__drizzle_migrations (id serial, hash text, created_at bigint);
      insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 1700000000000);
      create table users (id int)`,
    /belongs to another program that uses Drizzle, .*: it holds drizzle.__drizzle_migrations, public.users/,
  ],
])('refuses the database of %s, and writes nothing', async (_, statements, message) => {
  await run(statements)
  const before = await catalog()
  const refusal = { code: 'STORE_UNSUITABLE', message: expect.stringMatching(message) }
  await expect(checkDatabase(database.url)).rejects.toMatchObject(refusal)
  await expect(openPostgresStore({ url: database.url })).rejects.toMatchObject(refusal)
  await expect(openPostgresStore({ url: database.url })).rejects.toMatchObject({
    message: expect.stringMatching(/create an empty database for this node.*DATABASE_URL/),
  })
  expect(await catalog()).toEqual(before)
})

it('names six of many tables, and how many more there are', async () => {
  await run(Array.from({ length: 9 }, (_, index) => `create table t${index} (id int)`).join(';'))
  await expect(checkDatabase(database.url)).rejects.toMatchObject({
    message: expect.stringContaining('public.t5 and 3 more.'),
  })
})

it.each([
  ['the objects of an extension', 'create extension pg_stat_statements'],
  [
    'the remains of a first start that was killed before its first migration',
    `create schema drizzle; create table drizzle.__drizzle_migrations (id serial, hash text not null, created_at bigint)`,
  ],
])('accepts a database with %s', async (_, statements) => {
  await run(statements)
  await checkDatabase(database.url)
  const store = await openPostgresStore({ url: database.url })
  expect(await store.models()).toEqual([])
  await store.close()
})

it('accepts its own database with additions of an operator', async () => {
  await (await openPostgresStore({ url: database.url })).close()
  await run('create view ranking as select * from leaderboards; create table notes (id int)')
  await checkDatabase(database.url)
  await (await openPostgresStore({ url: database.url })).close()
})
