import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { systemErrorCode, whenMissing } from './system-error-code.ts'

/**
 * Identifies a process by its pid and its start time. If the system reuses the pid, the identity differs. Undefined if no
 * such process is alive; a zombie is not.
 */
export function processIdentity(pid: number): string | undefined {
  if (!exists(pid)) return undefined
  if (process.platform === 'linux') return linuxIdentity(pid)
  if (process.platform === 'win32') return `pid:${pid}`
  const startedAt = processTableColumn(pid, 'lstart')
  return startedAt === undefined ? undefined : `${pid}@${startedAt}`
}

/** True while the process exists and is not a zombie. A process of another user counts. */
export function isProcessAlive(pid: number): boolean {
  return processIdentity(pid) !== undefined
}

/** The command line of a process, for display; undefined if it is not available. */
export function processCommand(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined
  const text =
    process.platform === 'linux'
      ? readProcFile(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim()
      : processTableColumn(pid, 'command')
  return text === undefined || text === '' ? undefined : text.slice(0, 200)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false
    if (systemErrorCode(error) === 'EPERM') return true
    throw error
  }
}

function linuxIdentity(pid: number): string | undefined {
  const stat = readProcFile(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field is the program's name in parentheses and may contain spaces: count from the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const bootId = readProcFile('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return `${pid}@${fields[19]}@${bootId}`
}

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // ESRCH: the process ended between open and read. EACCES: another user's process.
    return whenMissing(undefined, ['ENOENT', 'ESRCH', 'EACCES'])(error)
  }
}

function processTableColumn(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 5_000,
      // The start time is part of the identity, so every process must read it in the same format.
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    }).trim()
    return text === '' ? undefined : text
  } catch (error) {
    // `ps` exits with status 1 if the process is gone.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined
    throw error
  }
}
