import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isProcessAlive } from '@crunch/local-processes'
import postgres from 'postgres'
import { afterEach, expect, it } from 'vitest'
import { createWorkbench, endChild, outcomeOf, withSql } from './embedded-postgres.testkit.ts'
import { embeddedPostgresStatus } from './start-embedded-postgres.ts'
import { createTestDatabase } from './test-database.ts'
import { waitUntil } from './wait-until.ts'

const bench = createWorkbench()
afterEach(() => bench.cleanUp())

it('returns a new empty database to each caller', async () => {
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

it('fills a template once, and returns a copy to each caller', async () => {
  let fills = 0
  const template = {
    name: 'with_mark',
    async fill(url: string) {
      fills += 1
      await withSql(url, (sql) => sql`create table mark as select 7 as value`)
    },
  }
  const copies = await Promise.all([createTestDatabase(template), createTestDatabase(template)])
  for (const { url, drop } of copies) {
    const rows = await withSql(url, (sql) => sql`update mark set value = value + 1 returning value`)
    expect([...rows]).toEqual([{ value: 8 }])
    await drop()
  }
  expect(fills).toBe(1)
})

it('leaves no server and no folder when the run is killed', async () => {
  const run = bench.spawnScript('test-database-in-child.ts', [])
  const { url } = await outcomeOf(run)
  const folder = (await readdir(tmpdir())).find((name) => name.includes(`-${run.pid}-`)) ?? ''
  const status = await embeddedPostgresStatus(join(tmpdir(), folder))
  if (status.state !== 'running') throw new Error(`no server runs in ${folder}`)
  expect(new URL(status.url).port).toBe(new URL(url ?? '').port)
  await endChild(run, 'SIGKILL')
  const gone = await waitUntil(async () => {
    const left = isProcessAlive(status.pid) || (await readdir(tmpdir())).includes(folder)
    return left ? undefined : true
  }, 60_000)
  expect(gone).toBe(true)
})
