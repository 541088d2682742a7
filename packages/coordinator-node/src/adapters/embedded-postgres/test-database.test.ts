import postgres from 'postgres'
import { expect, it } from 'vitest'
import { createTestDatabase } from './test-database.ts'

it('gives each caller an empty database of its own', async () => {
  const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()])
  expect(first.url).not.toBe(second.url)
  const sql = postgres(first.url, { max: 1 })
  await sql`create table mark (value int)`
  await sql.end()
  const other = postgres(second.url, { max: 1 })
  expect(await other`select to_regclass('mark') as found`).toEqual([{ found: null }])
  await other.end()
  await first.drop()
  await second.drop()
  const gone = postgres(first.url, { max: 1 })
  await expect(gone`select 1`).rejects.toThrow(/does not exist/)
  await gone.end()
})
