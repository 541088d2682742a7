import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkEmbeddedPostgres } from './check-embedded-postgres.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crunch-check-embedded-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

it('finds a server for a new database, and creates no files', async () => {
  await checkEmbeddedPostgres(directory, { anyVersion: false })
  expect(await readdir(directory)).toEqual([])
})

it('refuses data of a version that is not installed, unless anyVersion is set', async () => {
  await mkdir(join(directory, 'data/global'), { recursive: true })
  await writeFile(join(directory, 'data/global/pg_control'), '')
  await writeFile(join(directory, 'data/PG_VERSION'), '9\n')
  await expect(checkEmbeddedPostgres(directory, { anyVersion: false })).rejects.toMatchObject({
    code: 'VERSION_MISMATCH',
  })
  await checkEmbeddedPostgres(directory, { anyVersion: true })
})
