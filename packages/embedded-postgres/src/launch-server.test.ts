import { mkdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { choosePort } from './choose-port.ts'
import { dataMajorVersion, dataPathOf, initialiseData } from './data-folder.ts'
import { createWorkbench, withSql } from './embedded-postgres.testkit.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { type Binaries, findBinaries } from './find-binaries.ts'
import { launchServer } from './launch-server.ts'
import { chooseServerAccount } from './server-account.ts'
import { newServerRecord, serverUrl, writeServerRecord } from './server-record.ts'
import { startEmbeddedPostgres } from './start-embedded-postgres.ts'

let bench: ReturnType<typeof createWorkbench>
beforeEach(() => {
  bench = createWorkbench()
})
afterEach(() => bench.cleanUp())

it('can run a server of the system, and keeps using its version for the data', async (context) => {
  const account = await chooseServerAccount('/nonexistent')
  const binaries = await systemBinaries(account)
  context.skip(binaries === undefined, 'PostgreSQL is not installed on this system')
  const directory = await bench.newDirectory()
  await mkdir(directory)
  const record = newServerRecord()
  await writeServerRecord(directory, { ...record, initialised: true })
  const common = { directory, binaries: binaries!, account, fsync: false, log: () => undefined }
  await initialiseData({ ...common, password: record.password })
  expect(await dataMajorVersion(directory)).toBe(binaries!.major)
  const port = await choosePort(undefined, undefined, () => undefined)
  const pid = await launchServer({ ...common, port, maxConnections: 20 })
  const url = serverUrl(record, port, 'postgres')
  expect(await withSql(url, (sql) => sql`select 1 as value`)).toEqual([{ value: 1 }])
  const joined = await startEmbeddedPostgres({ directory })
  expect(joined).toMatchObject({ attached: true, pid })
  process.kill(pid, 'SIGKILL')
  const again = await startEmbeddedPostgres({ directory })
  const [row] = await withSql(again.url, (sql) => sql<{ version: string }[]>`select version()`)
  expect(row?.version).toContain(`PostgreSQL ${binaries!.major}`)
  expect((await chooseServerAccount(dataPathOf(directory))).uid).toBe(account.uid)
})

async function systemBinaries(account: Parameters<typeof findBinaries>[0]): Promise<Binaries | undefined> {
  try {
    return await findBinaries(account, undefined, () => undefined, { packageName: '@embedded-postgres/of-no-platform' })
  } catch (error) {
    if (error instanceof EmbeddedPostgresError && error.code === 'BINARIES_NOT_FOUND') return undefined
    throw error
  }
}
