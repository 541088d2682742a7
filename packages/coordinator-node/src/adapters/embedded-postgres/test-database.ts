import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { startEmbeddedPostgres } from './start-embedded-postgres.ts'

/** One empty database for one test file or test. */
export interface TestDatabase {
  readonly url: string
  /** Removes the database, closing whatever is still connected to it. */
  drop(): Promise<void>
}

/** Ends the server and removes its folder once the test run is gone, however it ended. Plain Node code for `node -e`. */
const WATCHDOG = `
const { rmSync } = require('node:fs')
const [run, server, directory] = process.argv.slice(1)
const alive = (pid) => { try { process.kill(Number(pid), 0); return true } catch (error) { return error.code === 'EPERM' } }
const timer = setInterval(() => {
  if (alive(run) && alive(server)) return
  clearInterval(timer)
  try { process.kill(Number(server), 'SIGQUIT') } catch (error) { if (error.code !== 'ESRCH') throw error }
  const removal = setInterval(() => {
    if (alive(server)) return
    clearInterval(removal)
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }, 50)
}, 300)
`

let serverUrlOfRun: Promise<string> | undefined

/**
 * A fresh database on a server that all tests of one run share. It starts at the first call and ends with the run.
 * `fsync` is off: never for data that must survive.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  serverUrlOfRun ??= startServerOfRun()
  const serverUrl = await serverUrlOfRun
  const name = `test_${randomBytes(8).toString('hex')}`
  await onServer(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => onServer(serverUrl, `drop database if exists ${name} with (force)`) }
}

async function startServerOfRun(): Promise<string> {
  const run = runPid()
  const directory = join(tmpdir(), `crunch-test-postgres-${process.getuid?.() ?? 'user'}-${run}`)
  const server = await startEmbeddedPostgres({ directory, detached: true, fsync: false, maxConnections: 200 })
  if (!server.attached) {
    const watched = [String(run), String(server.pid), directory]
    spawn(process.execPath, ['-e', WATCHDOG, ...watched], { detached: true, stdio: 'ignore', cwd: '/' }).unref()
  }
  return server.url
}

/** Vitest runs test files in child processes of the run, or in threads of it. */
function runPid(): number {
  return process.send === undefined ? process.pid : process.ppid
}

async function onServer(serverUrl: string, statement: string): Promise<void> {
  const sql = postgres(serverUrl, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
