import { createTestDatabase, type TestDatabase } from '@crunch/embedded-postgres/test-database'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { changedContract } from '../../../test/sample-contract.ts'
import { openPostgresStore } from '../../adapters/store/postgres/postgres-store.ts'
import { readWithoutMigrating } from '../../adapters/store/postgres/schema/read-without-migrating.ts'
import { contractStructure, structureFingerprint } from '../../contract/contract-structure.ts'
import { compareStoredContract } from './compare-stored-contract.ts'

let database: TestDatabase
let sql: postgres.Sql

beforeEach(async () => {
  database = await createTestDatabase()
  sql = postgres(database.url, { max: 1, onnotice: () => undefined })
})

afterEach(async () => {
  await sql.end()
  await database.drop()
})

/** Creates the first era in the database. */
async function enter(): Promise<void> {
  const store = await openPostgresStore({ url: database.url })
  const structure = contractStructure(changedContract({}), 'organizer')
  await store.enterEra({
    competition: { crunchId: 'next-move', name: 'next-move' },
    ...{ structure, fingerprint: structureFingerprint(structure), codeHash: 'code', at: Date.UTC(2026, 2, 1, 10) },
  })
  await store.close()
}

/** The row version of every row, which changes with each write. */
async function contents(): Promise<readonly unknown[]> {
  const names = await sql<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_schema in ('public', 'drizzle') order by 1`
  return Promise.all(
    names.map(async ({ name }) => [
      name,
      await sql.unsafe(`select xmin::text, ctid::text, to_jsonb(one) as row from ${name} one`),
    ]),
  )
}

const compare = (changes: Parameters<typeof changedContract>[0], crunchId = 'next-move', organizerId = 'organizer') =>
  compareStoredContract(database.url, { contract: changedContract(changes), crunchId, organizerId })

it('names each difference with its place, both sides and the fix, and writes nothing', async () => {
  await enter()
  const before = await contents()
  const fix = 'undo the change, use another database, or confirm a new era: crunch deploy --new-era'
  expect(await compare({ leaderboard: { direction: 'asc' }, prediction: { timeout: '2s' } })).toEqual({
    kind: 'compared',
    findings: [
      {
        path: 'leaderboard.direction',
        cause: '"desc" in the database since 2026-03-01T10:00:00.000Z, "asc" in the contract',
        fix,
      },
      {
        path: 'prediction.timeout',
        cause: '"1s" in the database since 2026-03-01T10:00:00.000Z, "2s" in the contract',
        fix,
      },
    ],
  })
  expect(await compare({})).toEqual({ kind: 'compared', findings: [] })
  expect(await compare({}, 'other')).toMatchObject({
    findings: [{ path: 'name or CRUNCH_ID', cause: expect.stringContaining('(CRUNCH_ID other)') }],
  })
  expect(await compare({}, 'next-move', 'host')).toEqual({
    kind: 'compared',
    findings: [
      {
        path: 'ORGANIZER_CRUNCHER_ID',
        cause: '"organizer" in the database since 2026-03-01T10:00:00.000Z, "host" in the settings',
        fix,
      },
    ],
  })
  expect(await contents()).toEqual(before)
})

it('does not change an empty database or an outdated one', async () => {
  expect(await compare({})).toEqual({ kind: 'new' })
  expect(await contents()).toEqual([])
  await enter()
  await sql`delete from drizzle.__drizzle_migrations
    where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`
  const before = await contents()
  expect(await compare({ leaderboard: { direction: 'asc' } })).toEqual({ kind: 'older' })
  expect(await contents()).toEqual(before)
})

it('uses a read-only session', async () => {
  await enter()
  const reading = readWithoutMigrating(database.url, async ({ eras }) => {
    await expect(eras()).resolves.toHaveLength(1)
    return (
      await sql`select 1 from pg_stat_activity
      where application_name = 'crunch' and datname = current_database()`
    ).length
  })
  await expect(reading).resolves.toEqual({ kind: 'read', result: 1 })
})
