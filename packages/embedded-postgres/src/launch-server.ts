import { type ChildProcess, spawn } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { portTaken } from './choose-port.ts'
import { dataPathOf } from './data-folder.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import type { Binaries } from './find-binaries.ts'
import { programEnvironment } from './run-program.ts'
import { findRunningServer, stopServer } from './running-server.ts'
import type { ServerAccount } from './server-account.ts'
import { openServerLog, readServerLogTail, serverLogPath } from './server-log.ts'
import { waitUntil } from './wait-until.ts'

const READY_LIMIT_MS = 120_000
const RETRY_LIMIT_MS = 20_000
const RETRY_INTERVAL_MS = 250
/** Errors of PostgreSQL while processes of a killed server are still ending. */
const LEFTOVERS = /still in use|lock file "[^"]+" already exists|Is another postmaster/
const PORT_IN_USE = /could not bind|Address already in use|could not create any TCP\/IP sockets/

/** Options of one start of the server. */
export interface LaunchInput {
  readonly directory: string
  readonly binaries: Binaries
  readonly account: ServerAccount
  readonly port: number
  readonly maxConnections: number
  /** False only for data that may be lost, as in tests. */
  readonly fsync: boolean
  readonly log: (line: string) => void
}

/** Starts postgres and waits until it accepts connections; retries for 20 s while a killed server's processes end. */
export async function launchServer(input: LaunchInput): Promise<number> {
  const deadlineMs = performance.now() + RETRY_LIMIT_MS
  for (let attempt = 1; ; attempt += 1) {
    const { pid, output } = await launchOnce(input)
    if (pid !== undefined) return pid
    if (PORT_IN_USE.test(output)) throw portTaken(input.port, output)
    if (!LEFTOVERS.test(output) || performance.now() > deadlineMs) throw startFailed(input.directory, attempt, output)
    if (attempt === 1) input.log('Waiting for the processes of a killed server to end')
    await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS))
  }
}

async function launchOnce(input: LaunchInput): Promise<{ pid: number | undefined; output: string }> {
  const logFile = await openServerLog(input.directory)
  try {
    const logStart = (await logFile.stat()).size
    const child = spawn(input.binaries.postgres, await serverArguments(input), {
      ...input.account,
      cwd: '/',
      // In its own process group: Ctrl-C in a terminal must not stop the database before the workers have finished.
      detached: true,
      stdio: ['ignore', logFile.fd, logFile.fd],
      windowsHide: true,
      env: programEnvironment(),
    })
    const pid = await readyOrEnded(input, child)
    child.unref()
    return { pid, output: pid === undefined ? await readServerLogTail(input.directory, logStart) : '' }
  } finally {
    await logFile.close()
  }
}

async function readyOrEnded(input: LaunchInput, child: ChildProcess): Promise<number | undefined> {
  let ended = false
  let spawnError: Error | undefined
  child.on('exit', () => {
    ended = true
  })
  child.on('error', (error) => {
    spawnError = error
    ended = true
  })
  const outcome = await waitUntil(async () => {
    if (ended) return 'ended'
    const server = await findRunningServer(input.directory)
    return server?.pid === child.pid && server?.ready ? 'ready' : undefined
  }, READY_LIMIT_MS)
  if (spawnError !== undefined) throw startFailed(input.directory, 1, spawnError.message, spawnError)
  if (outcome === 'ready') return child.pid
  if (outcome === undefined && child.pid !== undefined) {
    await stopServer(child.pid, input.log)
    throw startFailed(input.directory, 1, `not ready after ${READY_LIMIT_MS} ms`)
  }
  return undefined
}

async function serverArguments(input: LaunchInput): Promise<string[]> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: input.port,
    unix_socket_directories: '',
    max_connections: input.maxConnections,
    shared_buffers: '128MB',
    fsync: input.fsync ? 'on' : 'off',
    synchronous_commit: input.fsync ? 'on' : 'off',
    full_page_writes: input.fsync ? 'on' : 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    logging_collector: 'off',
    log_destination: 'stderr',
    // JIT compilation of short queries costs more than it saves.
    jit: 'off',
  }
  const data = await realpath(dataPathOf(input.directory))
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

function startFailed(directory: string, attempts: number, output: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'START_FAILED',
    `PostgreSQL did not start in ${directory} (${attempts} attempts). Correct the cause below and start again, or set ` +
      `DATABASE_URL. The server's log is ${serverLogPath(directory)}, its end:\n${output}`,
    { cause },
  )
}
