import { readFile, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isProcessAlive, processCommand, systemErrorCode, whenMissing } from '@crunch/local-processes'
import { dataPathOf } from './data-folder.ts'
import { waitUntil } from './wait-until.ts'

const FAST_SHUTDOWN_LIMIT_MS = 10_000
const KILL_LIMIT_MS = 5_000
const POSTGRES_PROGRAM = /(^|[/\\])postgres(\.exe)?([ :]|$)/

/** A running server on the data of a directory, according to its `postmaster.pid`. */
export interface RunningServer {
  readonly pid: number
  readonly port: number
  /** Whether it accepts connections; false during start, recovery and shutdown. */
  readonly ready: boolean
}

/** The server that runs on `directory`, or undefined. */
export async function findRunningServer(directory: string): Promise<RunningServer | undefined> {
  const pidFile = await readPidFile(directory)
  if (pidFile === undefined || !isProcessAlive(pidFile.pid)) return undefined
  const command = processCommand(pidFile.pid)
  if (command !== undefined && !command.includes(`-D ${pidFile.dataFolder} `)) return undefined
  return pidFile
}

/**
 * Removes a `postmaster.pid` whose pid now belongs to another program. That is common after a container restart, and
 * PostgreSQL would refuse to start. A file with the pid of a dead process or of a postgres is left to PostgreSQL.
 */
export async function removeStalePidFile(directory: string, log: (line: string) => void): Promise<void> {
  const pidFile = await readPidFile(directory)
  if (pidFile === undefined || !isProcessAlive(pidFile.pid)) return
  const command = processCommand(pidFile.pid)
  if (command === undefined || POSTGRES_PROGRAM.test(command)) return
  log(`Removing a stale postmaster.pid: process ${pidFile.pid} is now another program`)
  await rm(join(dataPathOf(directory), 'postmaster.pid'))
}

/** Fast shutdown (open transactions roll back), then SIGKILL if it takes more than 10 s. */
export async function stopServer(pid: number, log: (line: string) => void): Promise<void> {
  if (!signal(pid, 'SIGINT')) return
  const ended = () => (isProcessAlive(pid) ? undefined : true)
  if (await waitUntil(ended, FAST_SHUTDOWN_LIMIT_MS)) return
  log(`PostgreSQL (process ${pid}) did not stop within ${FAST_SHUTDOWN_LIMIT_MS} ms: killing it`)
  signal(pid, 'SIGKILL')
  await waitUntil(ended, KILL_LIMIT_MS)
}

/** Sends a signal; false if the process is gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false
    throw error
  }
}

async function readPidFile(directory: string): Promise<(RunningServer & { dataFolder: string }) | undefined> {
  try {
    const data = await realpath(dataPathOf(directory))
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
    const pid = Number(lines[0])
    if (!Number.isInteger(pid) || pid <= 0) return undefined
    // Lines: 1 pid, 4 port, 8 status (padded with spaces).
    return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready', dataFolder: data }
  } catch (error) {
    return whenMissing(undefined, ['ENOENT', 'ENOTDIR'])(error)
  }
}
