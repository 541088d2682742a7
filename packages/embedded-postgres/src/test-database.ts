import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isProcessAlive, processIdentity, whenMissing } from '@crunch/local-processes'
import postgres from 'postgres'
import { startEmbeddedPostgres } from './start-embedded-postgres.ts'

/** One empty database for one test file or test. */
export interface TestDatabase {
  readonly url: string
  /** Removes the database and closes all connections to it. */
  drop(): Promise<void>
}

/**
 * Stops the server and removes its folder after the test run, even if the run was killed. Plain Node code for `node -e`. It keeps
 * checking for 5 s after the run, in case a server was just starting when the run was killed, and for 30 s at most.
 */
const WATCHDOG = `
const { readFileSync, realpathSync, rmSync } = require('node:fs')
const [run, directory] = process.argv.slice(1)
const signal = (pid, name) => { try { process.kill(pid, name); return true } catch (error) { return error.code === 'EPERM' } }
const remove = (path) => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
const ifPresent = (read) => { try { return read() } catch (error) { if (error.code !== 'ENOENT') throw error } }
let idleRoundsLeft = 20
let roundsLeft = 120
setInterval(() => {
  if (signal(Number(run), 0)) return
  if (--roundsLeft === 0) process.exit(1)
  const data = ifPresent(() => realpathSync(directory + '/data'))
  const pidFile = data && ifPresent(() => readFileSync(data + '/postmaster.pid', 'utf8'))
  if (pidFile && signal(Number(pidFile.split('\\n')[0]), 'SIGQUIT')) return
  if (data) remove(data)
  remove(directory)
  if (--idleRoundsLeft === 0) process.exit()
}, 250)
`

let serverUrlOfRun: Promise<string> | undefined

/** The initial content of test databases. It is created once per run and copied. */
export interface Template {
  /** The name of the template database, in lower case. */
  readonly name: string
  /** Fills an empty database, and must close its connections. */
  fill(url: string): Promise<unknown>
}

/**
 * A new database on a server that all tests of one run share, empty unless a template is given. The server starts at the first
 * call and ends with the run. `fsync` is off, so data may be lost in a crash.
 */
export async function createTestDatabase(template?: Template): Promise<TestDatabase> {
  serverUrlOfRun ??= startServerOfRun()
  const serverUrl = await serverUrlOfRun
  const name = `test_${randomBytes(8).toString('hex')}`
  const drop = () => onServer(serverUrl, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`))
  await onServer(serverUrl, async (sql) => {
    if (template !== undefined) await makeTemplate(sql, serverUrl, template)
    await sql.unsafe(`create database ${name} template ${template?.name ?? 'template1'}`)
  })
  return { url: databaseUrl(serverUrl, name), drop }
}

/** Creates the template once; test files that need it at the same time wait. */
async function makeTemplate(sql: postgres.Sql, serverUrl: string, { name, fill }: Template): Promise<void> {
  const unfinished = `${name}_unfinished`
  await sql`select pg_advisory_lock(hashtext(${name}))`
  const found = await sql`select 1 from pg_database where datname = ${name}`
  if (found.length === 0) {
    await sql.unsafe(`drop database if exists ${unfinished}`)
    await sql.unsafe(`create database ${unfinished}`)
    await fill(databaseUrl(serverUrl, unfinished))
    await sql.unsafe(`alter database ${unfinished} rename to ${name}`)
  }
  await sql`select pg_advisory_unlock(hashtext(${name}))`
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

async function startServerOfRun(): Promise<string> {
  const run = runPid()
  const user = process.getuid?.() ?? 'user'
  // Contains the identity of the run, so that a later run with the same pid does not find leftovers of this one.
  const identity = createHash('sha256')
    .update(processIdentity(run) ?? '')
    .digest('hex')
    .slice(0, 8)
  const directory = join(tmpdir(), `crunch-test-postgres-${user}-${run}-${identity}`)
  await mkdir(directory, { recursive: true })
  await ensureWatchdog(run, directory)
  const server = await startEmbeddedPostgres({ directory, detached: true, fsync: false, maxConnections: 200 })
  return server.url
}

/** Started before the server, so that a killed run never leaves a server unwatched. Two watchdogs do no harm. */
async function ensureWatchdog(run: number, directory: string): Promise<void> {
  const pidFile = join(directory, 'watchdog.pid')
  const known = await readFile(pidFile, 'utf8').catch(whenMissing(undefined))
  if (known !== undefined && isProcessAlive(Number(known))) return
  const watchdog = spawn(process.execPath, ['-e', WATCHDOG, String(run), directory], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  })
  await once(watchdog, 'spawn')
  watchdog.unref()
  await writeFile(pidFile, String(watchdog.pid))
}

/** The pid of the run: Vitest runs test files in its child processes or threads. */
function runPid(): number {
  return process.send === undefined ? process.pid : process.ppid
}

async function onServer(serverUrl: string, action: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(serverUrl, { max: 1, onnotice: () => undefined })
  try {
    await action(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
