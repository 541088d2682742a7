import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createWorkbench, endChild, outcomeOf, withSql } from './embedded-postgres.testkit.ts'
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  embeddedPostgresStatus,
  startEmbeddedPostgres,
  stopEmbeddedPostgres,
} from './start-embedded-postgres.ts'
import { waitUntil } from './wait-until.ts'

let bench: ReturnType<typeof createWorkbench>
beforeEach(() => {
  bench = createWorkbench()
})
afterEach(() => bench.cleanUp())

/** Its creation takes a second, so most tests get a copy. */
let database: string
const original = createWorkbench()
beforeAll(async () => {
  database = await original.newDirectory()
  await (await start({ directory: database })).stop()
})
afterAll(() => original.cleanUp())

/** The directory of a stopped database. */
async function stoppedDatabase(): Promise<string> {
  const directory = await bench.newDirectory()
  await promisify(execFile)('cp', ['-a', database, directory])
  return directory
}

describe('a start', () => {
  it('creates the database with a password, and a later start finds the same port and rows', async () => {
    const directory = await bench.newDirectory()
    expect(await embeddedPostgresStatus(directory)).toEqual({ state: 'stopped' })
    const first = await startEmbeddedPostgres({ directory })
    expect(first.attached).toBe(false)
    expect(new URL(first.url).pathname).toBe('/crunch')
    expect((await stat(join(directory, 'server.json'))).mode & 0o777).toBe(0o600)
    expect(await embeddedPostgresStatus(directory)).toEqual({
      state: 'running',
      pid: first.pid,
      port: first.port,
      url: first.url,
    })
    await withSql(first.url, async (sql) => {
      await sql`create table mark as select 7 as value`
      const settings = await sql<{ name: string; setting: string }[]>`select name, setting from pg_settings`
      const byName = Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))
      expect(byName).toMatchObject({ listen_addresses: '127.0.0.1', unix_socket_directories: '', TimeZone: 'UTC' })
      expect(byName).toMatchObject({ max_connections: '60', fsync: 'on', synchronous_commit: 'on' })
    })
    const wrong = new URL(first.url)
    wrong.password = 'wrong'
    await expect(withSql(wrong.href, (sql) => sql`select 1`)).rejects.toThrow(/password authentication failed/)
    await first.stop()
    expect(await embeddedPostgresStatus(directory)).toEqual({ state: 'stopped' })

    await truncate(join(directory, 'server.log'), 11 * 1024 * 1024)
    const second = await startEmbeddedPostgres({ directory })
    expect(second.url).toBe(first.url)
    expect(await withSql(second.url, (sql) => sql`select value from mark`)).toEqual([{ value: 7 }])
    expect((await stat(join(directory, 'server.log'))).size).toBeLessThan(1024 * 1024)
    expect(await readdir(directory)).toContain('server.log.1')
    await second.stop()
  })

  it('refuses to replace lost data by an empty database', async () => {
    const directory = await stoppedDatabase()
    await rename(join(directory, 'data'), join(directory, 'elsewhere'))
    await expect(start({ directory })).rejects.toMatchObject({ code: 'DATA_DAMAGED' })
  })

  it('quotes the server log if the server does not start', async () => {
    const directory = await stoppedDatabase()
    await writeFile(join(directory, 'data', 'postgresql.conf'), 'no_such_setting = 1\n')
    await expect(start({ directory })).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('no_such_setting'),
    })
  })

  it('refuses an unreadable server.json', async () => {
    const directory = await bench.newDirectory()
    await mkdir(directory)
    await writeFile(join(directory, 'server.json'), '{"port": 1}')
    await expect(start({ directory })).rejects.toMatchObject({ code: 'SETTINGS_UNREADABLE' })
    await rm(join(directory, 'server.json'))
  })
})

describe('the next start', () => {
  it('has every acknowledged row after the server was killed', async () => {
    const directory = await stoppedDatabase()
    const server = await startEmbeddedPostgres({ directory })
    await withSql(server.url, (sql) => sql`create table mark (value int)`)
    let acknowledged = 0
    const writing = withSql(server.url, async (sql) => {
      for (;;) {
        await sql`insert into mark values (${acknowledged + 1})`
        acknowledged += 1
        if (acknowledged === 100) process.kill(server.pid, 'SIGKILL')
      }
    })
    await expect(writing).rejects.toThrow()
    const again = await startEmbeddedPostgres({ directory })
    expect(again).toMatchObject({ attached: false, url: server.url })
    const rows = await withSql(again.url, (sql) => sql<{ value: number }[]>`select value from mark order by value`)
    expect(acknowledged).toBeGreaterThanOrEqual(100)
    expect(rows.map(({ value }) => value).slice(0, acknowledged)).toEqual(
      Array.from({ length: acknowledged }, (_, index) => index + 1),
    )
  })

  it('takes over the server of a killed owner, and may stop it', async () => {
    const directory = await stoppedDatabase()
    const child = bench.spawnChild({ fsync: false, directory })
    const before = await outcomeOf(child)
    await withSql(before.url ?? '', (sql) => sql`create table mark as select 7 as value`)
    await endChild(child, 'SIGKILL')
    const lines: string[] = []
    const server = await start({ directory, log: (line) => lines.push(line) })
    expect(server).toMatchObject({ attached: false, pid: before.pid })
    expect(lines.join()).toContain('Taking over')
    expect(await withSql(server.url, (sql) => sql`select value from mark`)).toEqual([{ value: 7 }])
    await server.stop()
    expect(await embeddedPostgresStatus(directory)).toEqual({ state: 'stopped' })
  })

  it('recovers after both the owner and the server were killed', async () => {
    const directory = await stoppedDatabase()
    const child = bench.spawnChild({ fsync: false, directory })
    const before = await outcomeOf(child)
    await endChild(child, 'SIGKILL')
    process.kill(before.pid ?? 0, 'SIGKILL')
    const server = await start({ directory })
    expect(server.attached).toBe(false)
    expect(await withSql(server.url, (sql) => sql`select 1 as value`)).toEqual([{ value: 1 }])
  })

  it('creates the database again after the creation was killed, and removes its remains', async () => {
    const directory = await bench.newDirectory()
    await mkdir(directory)
    const child = bench.spawnChild({ fsync: false, directory })
    const halfMade = await waitUntil(async () => {
      return (await readdir(directory)).find((name) => name.startsWith('data.initialising'))
    }, 60_000)
    expect(halfMade).toBeDefined()
    await endChild(child, 'SIGKILL')
    const server = await start({ directory })
    expect(await withSql(server.url, (sql) => sql`select 1 as value`)).toEqual([{ value: 1 }])
    expect((await readdir(directory)).filter((name) => name.startsWith('data'))).toEqual(['data'])
  })

  it('ignores a stale pid file with the pid of another program', async () => {
    const directory = await stoppedDatabase()
    const other = await holdProcess()
    const pidFile = [other.pid, join(directory, 'data'), 0, 5432, '', '127.0.0.1', '', 'ready'].join('\n')
    await writeFile(join(directory, 'data', 'postmaster.pid'), pidFile, { mode: 0o644 })
    const lines: string[] = []
    const server = await start({ directory, log: (line) => lines.push(line) })
    expect(server.pid).not.toBe(other.pid)
    expect(lines.join()).toContain('stale postmaster.pid')
    await endChild(other, 'SIGKILL')
  })
})

describe('an incomplete data folder', () => {
  it('is renamed, not deleted', async () => {
    const directory = await bench.newDirectory()
    await mkdir(join(directory, 'data', 'base'), { recursive: true })
    await writeFile(join(directory, 'data', 'PG_VERSION'), '18\n')
    const lines: string[] = []
    const server = await start({ directory, log: (line) => lines.push(line) })
    expect(await withSql(server.url, (sql) => sql`select 1 as value`)).toEqual([{ value: 1 }])
    const aside = (await readdir(directory)).find((name) => name.startsWith('data.incomplete'))
    expect(aside).toBeDefined()
    expect(await readdir(join(directory, aside ?? ''))).toContain('PG_VERSION')
    expect(lines.join()).toContain('no complete database')
  })
})

describe('several starts on one directory', () => {
  it('result in one owner if simultaneous; stopping an attached one leaves the server running', async () => {
    const directory = await bench.newDirectory()
    const children = [0, 1, 2].map(() => bench.spawnChild({ fsync: false, directory }))
    const outcomes = await Promise.all(children.map(outcomeOf))
    expect(outcomes.map(({ attached }) => attached).sort()).toEqual([false, true, true])
    expect(new Set(outcomes.map(({ pid }) => pid)).size).toBe(1)
    const owner = outcomes.findIndex(({ attached }) => attached === false)
    for (const [index, child] of children.entries()) if (index !== owner) await endChild(child, 'end of input')
    expect((await embeddedPostgresStatus(directory)).state).toBe('running')
    await endChild(children[owner]!, 'end of input')
    expect(await embeddedPostgresStatus(directory)).toEqual({ state: 'stopped' })
  })

  it('attach to each other within one process', async () => {
    const directory = await stoppedDatabase()
    const servers = await Promise.all([start({ directory }), start({ directory })])
    expect(servers.map(({ attached }) => attached).sort()).toEqual([false, true])
    const running = servers[0].port
    await expect(start({ directory, port: running === 5999 ? 5998 : 5999 })).rejects.toMatchObject({
      code: 'RUNNING_ON_ANOTHER_PORT',
    })
  })

  it('attach to a detached server, which ends only by an explicit stop', async () => {
    const directory = await stoppedDatabase()
    const starter = bench.spawnChild({ fsync: false, directory, detached: true })
    const before = await outcomeOf(starter)
    await endChild(starter, 'SIGKILL')
    const server = await start({ directory })
    expect(server).toMatchObject({ attached: true, pid: before.pid })
    await server.stop()
    expect((await embeddedPostgresStatus(directory)).state).toBe('running')
    await stopEmbeddedPostgres(directory)
    expect(await embeddedPostgresStatus(directory)).toEqual({ state: 'stopped' })
  })
})

describe('a port in use', () => {
  it('is refused if it was requested', async () => {
    const taken = await holdPort(0)
    const directory = await bench.newDirectory()
    await expect(start({ directory, port: taken.port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(String(taken.port)),
    })
    await taken.release()
  })

  it('is refused if it is not a valid port', async () => {
    const directory = await bench.newDirectory()
    await expect(start({ directory, port: 70_000 })).rejects.toMatchObject({ code: 'PORT_INVALID' })
  })

  it('is replaced by a free one, with a log line, if it is only the port of the last start', async () => {
    const directory = await stoppedDatabase()
    const first = await start({ directory })
    await first.stop()
    const taken = await holdPort(first.port)
    const lines: string[] = []
    const second = await start({ directory, log: (line) => lines.push(line) })
    expect(second.port).not.toBe(first.port)
    expect(lines.join()).toContain(`Port ${first.port} of the last start is in use`)
    await taken.release()
  })
})

/** Options for tests that do not depend on durability: no flushes to disk. */
function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ fsync: false, ...options })
}

async function holdProcess(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
  await once(child, 'spawn')
  return child
}

async function holdPort(wanted: number): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer()
  server.listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the holder of the port has no port')
  const release = async (): Promise<void> => {
    server.close()
    await once(server, 'close')
  }
  return { port: address.port, release }
}
