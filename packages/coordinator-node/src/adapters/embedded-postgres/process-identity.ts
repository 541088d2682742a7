import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { systemErrorCode } from './embedded-postgres-error.ts'

/** True while the process exists and is not a zombie. A process of another user counts. */
export function isProcessAlive(pid: number): boolean {
  return processIdentity(pid) !== undefined
}

/**
 * A string that names one process for good, so that a pid given again to another program (usual after a container
 * restart) is not taken for the first one. Undefined when no such process lives.
 */
export function processIdentity(pid: number): string | undefined {
  if (!canBeSignalled(pid)) return undefined
  if (process.platform === 'linux') return linuxIdentity(pid)
  if (process.platform === 'win32') return `pid:${pid}`
  const startedAt = readProcessTable(pid, 'lstart')
  return startedAt === undefined ? undefined : `${pid}@${startedAt}`
}

/** The command line of a live process, or undefined when it is gone or the system does not tell. */
export function processCommand(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined
  if (process.platform !== 'linux') return readProcessTable(pid, 'command')
  return readProcFile(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ')
}

function canBeSignalled(pid: number): boolean {
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
  // The program's name stands in parentheses and may itself hold spaces: count the fields after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const bootId = readProcFile('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return `${pid}@${fields[19]}@${bootId}`
}

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // ESRCH: the process ended between open and read.
    if (['ENOENT', 'ESRCH'].includes(systemErrorCode(error) ?? '')) return undefined
    throw error
  }
}

function readProcessTable(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 5_000,
      // The start time is part of an identity: it must read the same in every process that asks.
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    })
    return text.trim() === '' ? undefined : text.trim()
  } catch (error) {
    // `ps` ends with status 1 when the process is gone.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined
    throw error
  }
}
