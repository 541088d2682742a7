import { access, constants, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createFolder, processIdentity, systemErrorCode, withDirectoryLock } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import postgres from 'postgres'
import { choosePort } from './choose-port.ts'
import { dataMajorVersion, dataPathOf, initialiseData, removeData } from './data-folder.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { findBinaries } from './find-binaries.ts'
import { type LaunchInput, launchServer } from './launch-server.ts'
import { findRunningServer, type RunningServer, removeStalePidFile, signal, stopServer } from './running-server.ts'
import { chooseServerAccount } from './server-account.ts'
import { serverLogPath } from './server-log.ts'
import { newServerRecord, readServerRecord, type ServerRecord, serverUrl, writeServerRecord } from './server-record.ts'
import { waitUntil } from './wait-until.ts'

const LOCK_WAIT_MS = 180_000
const PORT_ATTEMPTS = 3
const DYING_LIMIT_MS = 2_000
const SETTLE_LIMIT_MS = 30_000

/** Options of the embedded PostgreSQL. */
export interface EmbeddedPostgresOptions {
  /** The folder of the data, the password and the server's log; created if missing. */
  readonly directory: string
  /** The port to use; if absent, a free one is chosen and kept for the next start. */
  readonly port?: number
  /** Gets one line for each event that matters to an operator, such as a fallback or a recovery. */
  readonly log?: (line: string) => void
  /** If true, the server outlives this process until `stop()` or `stopEmbeddedPostgres`. Default false. */
  readonly detached?: boolean
  /** Default 60. */
  readonly maxConnections?: number
  /** Default true; false only for data that may be lost, as in tests. */
  readonly fsync?: boolean
}

/** A PostgreSQL server on 127.0.0.1 with the database `crunch`. */
export interface EmbeddedPostgres {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** True if another start on the same directory owns the server; `stop()` then leaves it running. */
  readonly attached: boolean
  stop(): Promise<void>
}

/** Whether a server runs on a directory. */
export type EmbeddedPostgresStatus =
  | { readonly state: 'running'; readonly pid: number; readonly port: number; readonly url: string }
  | { readonly state: 'stopped' }

/**
 * Starts PostgreSQL on `directory`, and creates the database at the first call. If another live process owns a server
 * there, attaches to it. A server whose owner was killed is taken over.
 *
 * Unless detached, the server is told to stop when this process exits. A process that is ended by a signal must call
 * `stop()` in its signal handler; otherwise the server runs until the next start takes it over.
 *
 * @throws EmbeddedPostgresError with a `code` and a message that contains the fix.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory)
  const log = options.log ?? (() => undefined)
  await openDirectory(directory)
  return withDirectoryLock(directory, LOCK_WAIT_MS, async () => {
    const record = (await readServerRecord(directory)) ?? (await createRecord(directory))
    const running = await settledServer(directory, log)
    if (running !== undefined) {
      const joined = await joinRunning(directory, record, running, options, log)
      if (joined !== undefined) return joined
    }
    return startNew(directory, record, options, log)
  })
}

/** Whether a server runs on `directory`, and its address. Does not start one. */
export async function embeddedPostgresStatus(directory: string): Promise<EmbeddedPostgresStatus> {
  const record = await readServerRecord(resolve(directory))
  const running = record && (await findRunningServer(resolve(directory)))
  if (!record || !running) return { state: 'stopped' }
  return { state: 'running', pid: running.pid, port: running.port, url: serverUrl(record, running.port) }
}

/** Stops the server of `directory`, even if another process started it. Returns its pid; undefined if none ran. */
export async function stopEmbeddedPostgres(
  directory: string,
  log: (line: string) => void = () => undefined,
): Promise<number | undefined> {
  const path = resolve(directory)
  if ((await readServerRecord(path)) === undefined) return undefined
  return withDirectoryLock(path, LOCK_WAIT_MS, async () => {
    const running = await findRunningServer(path)
    if (running !== undefined) await stopServer(running.pid, log)
    return running?.pid
  })
}

/** Stops the server of `directory` and permanently deletes the directory with its data. */
export async function removeEmbeddedPostgres(directory: string): Promise<void> {
  await stopEmbeddedPostgres(directory)
  await removeData(resolve(directory))
  await rm(directory, { recursive: true, force: true })
}

async function openDirectory(directory: string): Promise<void> {
  try {
    await createFolder(directory)
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
    throw new EmbeddedPostgresError(
      'DIRECTORY_NOT_WRITABLE',
      `The database directory ${directory} cannot be written by this user: choose another one, correct its owner and ` +
        'permissions, or set DATABASE_URL.',
      { cause: error },
    )
  }
}

async function createRecord(directory: string): Promise<ServerRecord> {
  const major = await dataMajorVersion(directory)
  if (major !== undefined) {
    throw new EmbeddedPostgresError(
      'SETTINGS_UNREADABLE',
      `${directory} contains a database but no server.json with its password. Restore that file, or move ` +
        `${dataPathOf(directory)} away to start over.`,
    )
  }
  const record = newServerRecord()
  await writeServerRecord(directory, record)
  return record
}

/** Waits until the server is neither starting nor stopping, and returns it; undefined if none runs. */
async function settledServer(directory: string, log: (line: string) => void): Promise<RunningServer | undefined> {
  if ((await findRunningServer(directory)) === undefined) return undefined
  const settled = await waitUntil(async () => {
    const server = await findRunningServer(directory)
    if (server === undefined) return 'gone'
    return server.ready ? server : undefined
  }, SETTLE_LIMIT_MS)
  if (settled === 'gone') return undefined
  if (settled !== undefined) return settled
  const stuck = await findRunningServer(directory)
  if (stuck === undefined) return undefined
  log(`PostgreSQL (process ${stuck.pid}) was not ready after ${SETTLE_LIMIT_MS} ms: stopping it`)
  await stopServer(stuck.pid, log)
  return undefined
}

async function joinRunning(
  directory: string,
  record: ServerRecord,
  running: RunningServer,
  options: EmbeddedPostgresOptions,
  log: (line: string) => void,
): Promise<EmbeddedPostgres | undefined> {
  const owner = record.owner
  const orphaned = owner !== undefined && processIdentity(owner.pid) !== owner.identity
  if (orphaned) return takeOver(directory, record, running, options, log)
  if (options.port !== undefined && options.port !== running.port) {
    throw new EmbeddedPostgresError(
      'RUNNING_ON_ANOTHER_PORT',
      `The database in ${directory} already runs on port ${running.port} (process ${running.pid}), and port ${options.port} ` +
        'was asked for. Use that port, or stop it first.',
    )
  }
  const unusable = await probe(record, running.port)
  if (unusable !== undefined) {
    // The server may have been killed just now: its port closes before its process is gone.
    const isGone = async () => ((await findRunningServer(directory))?.pid === running.pid ? undefined : true)
    if (await waitUntil(isGone, DYING_LIMIT_MS)) return undefined
    throw unanswering(directory, unusable)
  }
  const url = serverUrl(record, running.port)
  return { url, port: running.port, pid: running.pid, attached: true, stop: async () => undefined }
}

/**
 * Makes this process the owner of a server whose owner was killed, without disturbing its clients. Stops the server and
 * returns undefined if it does not answer, or listens on another port than requested.
 */
async function takeOver(
  directory: string,
  record: ServerRecord,
  running: RunningServer,
  options: EmbeddedPostgresOptions,
  log: (line: string) => void,
): Promise<EmbeddedPostgres | undefined> {
  const portFits = options.port === undefined || options.port === running.port
  const unusable = portFits ? await probe(record, running.port) : `port ${options.port} was asked for`
  if (unusable !== undefined) {
    log(`Stopping PostgreSQL (process ${running.pid}), which a killed process left behind, to restart it: ${unusable}`)
    await stopServer(running.pid, log)
    return undefined
  }
  log(`Taking over PostgreSQL (process ${running.pid}), which a killed process left behind`)
  const owned = { ...record, port: running.port, owner: ownerOf(options) }
  await writeServerRecord(directory, owned)
  return ownedServer(directory, owned, running, options, log)
}

/** Why the server cannot be used; undefined if it can. */
async function probe(record: ServerRecord, port: number): Promise<string | undefined> {
  try {
    await ensureDatabase(record, port)
    return undefined
  } catch (error) {
    return errorText(error)
  }
}

async function startNew(
  directory: string,
  oldRecord: ServerRecord,
  options: EmbeddedPostgresOptions,
  log: (line: string) => void,
): Promise<EmbeddedPostgres> {
  const fsync = options.fsync ?? true
  const account = await chooseServerAccount(dataPathOf(directory))
  const major = await dataMajorVersion(directory)
  if (major === undefined && oldRecord.initialised) throw dataDamaged(directory)
  // Checked here too, so that a port in use is reported before the database is created, which takes a second.
  if (options.port !== undefined) await choosePort(options.port, undefined, log)
  const binaries = await findBinaries(account, major, log)
  if (major === undefined) {
    await initialiseData({ directory, binaries, account, password: oldRecord.password, fsync, log })
  }
  await removeStalePidFile(directory, log)
  const maxConnections = options.maxConnections ?? 60
  const launch = { directory, binaries, account, maxConnections, fsync, log }
  const { record, port, pid } = await launchOnPort(launch, oldRecord, options)
  const unusable = await probe(record, port)
  if (unusable !== undefined) {
    await stopServer(pid, log)
    throw unanswering(directory, unusable)
  }
  return ownedServer(directory, record, { pid, port }, options, log)
}

/** Another program may take the free port before the server does; then another one is tried, unless it was requested. */
async function launchOnPort(
  launch: Omit<LaunchInput, 'port'>,
  oldRecord: ServerRecord,
  options: EmbeddedPostgresOptions,
): Promise<{ record: ServerRecord; port: number; pid: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(options.port, attempt === 1 ? oldRecord.port : undefined, launch.log)
    const record = { ...oldRecord, port, initialised: true, owner: ownerOf(options) }
    // Written before the start, so that after a crash the next start recognises the server as orphaned.
    await writeServerRecord(launch.directory, record)
    try {
      return { record, port, pid: await launchServer({ ...launch, port }) }
    } catch (error) {
      const lostPort = error instanceof EmbeddedPostgresError && error.code === 'PORT_TAKEN'
      if (!lostPort || options.port !== undefined || attempt === PORT_ATTEMPTS) throw error
      launch.log(`Port ${port} was just taken by another program: trying another port`)
    }
  }
}

function ownerOf(options: EmbeddedPostgresOptions): ServerRecord['owner'] {
  if (options.detached) return undefined
  return { pid: process.pid, identity: processIdentity(process.pid) ?? '' }
}

function ownedServer(
  directory: string,
  record: ServerRecord,
  server: { readonly pid: number; readonly port: number },
  options: EmbeddedPostgresOptions,
  log: (line: string) => void,
): EmbeddedPostgres {
  const { pid, port } = server
  const forgetExit = options.detached ? () => undefined : stopAtExit(pid)
  const stop = async (): Promise<void> => {
    forgetExit()
    await withDirectoryLock(directory, LOCK_WAIT_MS, async () => {
      const running = await findRunningServer(directory)
      if (running?.pid === pid) await stopServer(pid, log)
    })
  }
  return { url: serverUrl(record, port), port, pid, attached: false, stop }
}

/** A process that exits without `stop()` still tells its server to shut down; if it is killed, the next start takes over. */
function stopAtExit(pid: number): () => void {
  const identity = processIdentity(pid)
  const onExit = (): void => {
    // The server may have ended long ago, and its pid may belong to another program.
    if (identity !== undefined && processIdentity(pid) === identity) signal(pid, 'SIGINT')
  }
  process.on('exit', onExit)
  return () => process.off('exit', onExit)
}

async function ensureDatabase(record: ServerRecord, port: number): Promise<void> {
  const sql = postgres(serverUrl(record, port, 'postgres'), { max: 1, connect_timeout: 10, onnotice: () => undefined })
  try {
    const found = await sql`select 1 from pg_database where datname = 'crunch'`
    if (found.length === 0) await sql`create database crunch`
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function unanswering(directory: string, reason: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'START_FAILED',
    `PostgreSQL in ${directory} runs but cannot be used: ${reason}. Its log is ${serverLogPath(directory)}. When the ` +
      'password no longer matches, restore server.json in that directory.',
  )
}

function dataDamaged(directory: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'DATA_DAMAGED',
    `${dataPathOf(directory)} is missing or no longer contains a complete database. Restore it from a ` +
      `backup, or move ${directory} away to start with an empty database.`,
  )
}
