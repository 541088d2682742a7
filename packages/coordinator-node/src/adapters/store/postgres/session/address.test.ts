import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { dataPathOf } from '../../../embedded-postgres/data-folder.ts'
import { createWorkbench } from '../../../embedded-postgres/embedded-postgres.testkit.ts'
import { findBinaries } from '../../../embedded-postgres/find-binaries.ts'
import { chooseServerAccount } from '../../../embedded-postgres/server-account.ts'
import { startEmbeddedPostgres } from '../../../embedded-postgres/start-embedded-postgres.ts'
import { openPostgresStore } from '../postgres-store.ts'
import { checkDatabase } from '../schema/check-database.ts'
import { addressOf } from './address.ts'

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

it('leaves hosts as they are, and takes the folder of a socket out of the URL', () => {
  const url = 'postgres://crunch:pw@db.example:5433/crunch?sslmode=require'
  expect(addressOf(url)).toEqual({ url, path: undefined })
  expect(addressOf('postgres://crunch@localhost:5433/crunch?host=/run/postgresql')).toEqual({
    url: 'postgres://crunch@localhost:5433/crunch',
    path: '/run/postgresql/.s.PGSQL.5433',
  })
})

it.skipIf(process.platform === 'win32')('works over a socket in the file system', async () => {
  const workbench = createWorkbench()
  endings.push(() => workbench.cleanUp())
  const directory = await workbench.newDirectory()
  const made = await startEmbeddedPostgres({ directory, fsync: false })
  await made.stop()
  const folder = await mkdtemp(join(tmpdir(), 'crunch-socket-'))
  endings.push(() => rm(folder, { recursive: true }))
  await chmod(folder, 0o777)
  const data = await realpath(dataPathOf(directory))
  const account = await chooseServerAccount(data)
  const { postgres } = await findBinaries(account, undefined, () => undefined)
  const settings = ['-c', 'listen_addresses=', '-c', `port=${made.port}`, '-k', folder]
  const server = spawn(postgres, ['-D', data, ...settings], { ...account, cwd: '/', stdio: 'ignore' })
  endings.push(async () => {
    const exited = once(server, 'exit')
    server.kill('SIGQUIT')
    await exited
  })
  const url = `${made.url}?host=${folder}`
  await expect.poll(() => checkDatabase(url).then(() => 'right', String), { timeout: 20_000 }).toBe('right')
  const store = await openPostgresStore({ url })
  endings.push(() => store.close())
  expect(await store.takeLease('predict')).not.toBeNull()
  expect(await store.probe(5_000, (reads) => reads.feedStates())).toEqual([])
})
