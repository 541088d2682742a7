import { processIdentity } from '@crunch/local-processes'
import { isExpectedError } from '@crunch/local-processes/errors'
import { describeError, ReportedFailure } from '../cli-error.ts'
import { embeddedDatabase } from '../embedded-database.ts'
import type { Terminal } from '../terminal/terminal.ts'

const watchMs = 200

export interface EmbeddedPostgresOptions {
  readonly directory: string
  /**
   * For data that can be recreated: writes do not wait for the disk, which halves the time of a replay. Written data
   * survive the kill of any process, but not a crash of the machine.
   */
  readonly disposable: boolean
}

/** Runs the embedded PostgreSQL of a folder until SIGTERM; fails if the server ends unexpectedly. */
export async function embeddedPostgres(options: EmbeddedPostgresOptions, terminal: Terminal): Promise<void> {
  const { directory, disposable } = options
  const log = (level: number, msg: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    terminal.out(JSON.stringify({ level, time: Date.now(), msg, ...fields }))
  }
  const server = await embeddedDatabase
    .start({ directory, fsync: !disposable, log: (line) => log(30, line) })
    .catch((error: unknown) => {
      if (!isExpectedError(error)) throw error
      log(50, describeError(error, false))
      throw new ReportedFailure('the database cannot be started', { cause: error })
    })
  // The identity is checked because the pid of a dead server can be reused by another program.
  const identity = processIdentity(server.pid)
  log(30, 'database serves', { event: 'ready', port: server.port, processId: server.pid })
  const hasDied = await endOrDeath(server.pid, identity, terminal.signal)
  if (hasDied) {
    log(50, 'the database server ended unexpectedly', { processId: server.pid })
    throw new ReportedFailure('the database server ended unexpectedly')
  }
  await server.stop()
  log(30, 'database stopped')
}

function endOrDeath(pid: number, identity: string | undefined, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (hasDied: boolean): void => {
      clearInterval(timer)
      resolve(hasDied)
    }
    const timer = setInterval(() => {
      if (identity === undefined || processIdentity(pid) !== identity) finish(true)
    }, watchMs)
    signal.addEventListener('abort', () => finish(false))
    if (signal.aborted) finish(false)
  })
}
