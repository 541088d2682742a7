import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@crunch/embedded-postgres'
import { createWorkbench } from '@crunch/embedded-postgres/testkit'
import { afterEach, expect, it } from 'vitest'
import { dataPathOf } from '../../../../../../embedded-postgres/src/data-folder.ts'
import { findBinaries } from '../../../../../../embedded-postgres/src/find-binaries.ts'
import { chooseServerAccount } from '../../../../../../embedded-postgres/src/server-account.ts'
import { openPostgresStore } from '../postgres-store.ts'
import { checkDatabase } from '../schema/check-database.ts'
import { type Address, addressOf, clientOptions, maskUrl, readAddress } from './address.ts'

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

it.each<[string, Partial<Address>]>([
  ['postgres://u:p@h:5433/db', { user: 'u', password: 'p', host: 'h', port: 5433, database: 'db', sslMode: 'disable' }],
  ['postgresql://u@h', { user: 'u', password: undefined, port: 5432, database: 'u', folder: undefined }],
  ['postgres://h/db', { user: userInfo().username, host: 'h', database: 'db' }],
  ['postgres://u:p#a?b:c@h/db', { password: 'p#a?b:c' }],
  ['postgres://u%40x:50%25%2F%C3%B6@h/my%20db', { user: 'u@x', password: '50%/ö', database: 'my db' }],
  ['postgres://u@[::1]:21001/db', { host: '::1', port: 21_001 }],
  ['postgres://u@[fe80::1%25eth0]/db', { host: 'fe80::1%eth0' }],
  ['postgres://u@localhost:5433/db?host=/run/pg', { folder: '/run/pg', port: 5433 }],
  [
    'postgres:///db?host=/run/pg&port=5434&user=u&password=p',
    { folder: '/run/pg', port: 5434, user: 'u', password: 'p' },
  ],
  ['postgres://u@%2Frun%2Fpg/db', { folder: '/run/pg', host: 'localhost' }],
  [
    'postgres://u@h/db?sslmode=verify-full&application_name=n',
    { sslMode: 'verify-full', session: { application_name: 'n' } },
  ],
  ['postgres://u@h/db?channel_binding=prefer&gssencmode=disable', { sslMode: 'disable', session: {} }],
])('parses %s like psql', (url, expected) => {
  expect(readAddress(url)).toMatchObject(expected)
})

it.each([
  ['http://u:s3cret@h/db', 'does not begin with postgres://'],
  ['POSTGRES://u:s3cret@h/db', 'does not begin with postgres://'],
  ['host=h password=s3cret', 'does not begin with postgres://'],
  ['postgres://u:s3cret@x@h/db', 'write @ as %40'],
  ['postgres://u:s3cret/x@h/db', 'write @ as %40 and / as %2F'],
  ['postgres://u:50%s3cret@h/db', 'a bare % in the password: write % as %25'],
  ['postgres://u:s3cret%ff@h/db', 'in the password that are not UTF-8'],
  ['postgres://u:s3cret%00@h/db', 'a character in the password that PostgreSQL does not accept'],
  ['postgres://u:s3cret@/db', 'names no host'],
  ['postgres://', 'names no host'],
  ['postgres://u:s3cret@::1/db', 'an IPv6 address without brackets'],
  ['postgres://u:s3cret@[::g]/db', 'no IPv6 address between'],
  ['postgres://u:s3cret@h:port/db', 'a port that is not a number'],
  ['postgres://u:s3cret@h:70000/db', 'a port that is not a number'],
  ['postgres://u:s3cret@one,two/db', 'a host that is a list'],
  ['postgres://u:s3cret@h x/db', 'a host that is neither a name'],
  ['postgres://u:s3cret@h/db?schema=public', 'the parameter schema, which is not supported'],
  ['postgres://u:s3cret@h/db?sslrootcert=ca.pem', 'set NODE_EXTRA_CA_CERTS'],
  ['postgres://u:s3cret@h/db?channel_binding=require', 'write channel_binding=prefer'],
  ['postgres://u:s3cret@h/db?sslmode=maybe', 'an sslmode that is none of'],
  ['postgres://u:s3cret@h/db?user', 'the parameter user without a value'],
  ['postgres://u:s3cret@h/db?user=a&user=b', 'the parameter user twice'],
])('refuses %s: %s', (url, text) => {
  const { problem } = readAddress(url) as { problem: string }
  expect(problem).toContain(text)
  expect(() => addressOf(url)).toThrow(text)
  expect(`${problem}${maskUrl(url)}`).not.toContain('s3cret')
})

it('masks the password in any position', () => {
  expect(maskUrl('postgres://u:p@h/db')).toBe('postgres://u:***@h:5432/db')
  expect(maskUrl('postgres://u@[::1]/db?password=p')).toBe('postgres://u:***@[::1]:5432/db')
  expect(maskUrl('postgres://u@/db?host=/run/pg')).toBe('postgres://u@localhost:5432/db?host=/run/pg')
})

it('passes lists to the client, which would otherwise parse a colon as the start of a port', () => {
  const options = clientOptions(addressOf('postgres://u:p@[::1]:5433/db?sslmode=require'))
  expect(options).toEqual({ host: ['::1'], port: [5433], user: 'u', password: 'p', database: 'db', ssl: 'require' })
  expect(clientOptions(addressOf('postgres://u@/db?host=/run/pg'))).toMatchObject({ path: '/run/pg/.s.PGSQL.5432' })
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
