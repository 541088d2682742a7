import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ExpectedError } from './errors.ts'
import { processIdentity } from './process-identity.ts'
import { systemErrorCode, whenMissing } from './system-error-code.ts'

const LOCK_FILE = /^lock\.(\d+)$/
const RELEASED = 'released'
const HALF_WRITTEN_LIMIT_MS = 5_000
const POLL_MS = 20

/** Another process holds the folder for longer than the caller waits. */
export class DirectoryBusyError extends ExpectedError {
  readonly code = 'DIRECTORY_BUSY'

  constructor(directory: string, holder: string, waitMs: number) {
    super(
      `Another process (${holder}) has held ${directory} for more than ${waitMs} ms. ` +
        'Wait for it, or end that process and try again.',
    )
    this.name = 'DirectoryBusyError'
  }
}

/**
 * Runs `action` while no other process works on `directory`; waits up to `waitMs` for its turn, then throws a
 * `DirectoryBusyError`.
 *
 * A lock is a numbered file: the process that creates `lock.<highest + 1>` holds it. Taking over from a dead process
 * creates the next number instead of removing the old file, because two processes that both remove a stale lock could
 * both end up holding it.
 */
export async function withDirectoryLock<T>(directory: string, waitMs: number, action: () => Promise<T>): Promise<T> {
  const path = await takeLock(directory, waitMs)
  try {
    return await action()
  } finally {
    await writeFile(path, RELEASED)
  }
}

async function takeLock(directory: string, waitMs: number): Promise<string> {
  const deadlineMs = performance.now() + waitMs
  for (;;) {
    const attempt = await tryToLock(directory)
    if ('path' in attempt) return attempt.path
    if (performance.now() >= deadlineMs) throw new DirectoryBusyError(directory, attempt.holder, waitMs)
    await delay(POLL_MS)
  }
}

async function tryToLock(directory: string): Promise<{ path: string } | { holder: string }> {
  const newest = (await lockNumbers(directory)).at(-1) ?? 0
  if (newest > 0) {
    const holder = await liveHolder(join(directory, `lock.${newest}`))
    if (holder !== undefined) return { holder }
  }
  const own = newest + 1
  const path = join(directory, `lock.${own}`)
  try {
    await writeFile(path, JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) }), { flag: 'wx' })
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return { holder: 'another process' }
    throw error
  }
  const numbers = await lockNumbers(directory)
  const overtaken = numbers.some((number) => number > own)
  const obsolete = overtaken ? [own] : numbers.filter((number) => number < own)
  await Promise.all(obsolete.map((number) => rm(join(directory, `lock.${number}`), { force: true })))
  return overtaken ? { holder: 'another process' } : { path }
}

async function lockNumbers(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names
    .flatMap((name) => LOCK_FILE.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

async function liveHolder(path: string): Promise<string | undefined> {
  const content = await readFile(path, 'utf8').catch(whenMissing(undefined))
  if (content === undefined || content === RELEASED) return undefined
  const record = parseRecord(content)
  if (record === undefined) return (await isYoung(path)) ? 'a process that is just starting' : undefined
  return processIdentity(record.pid) === record.identity ? `process ${record.pid}` : undefined
}

function parseRecord(content: string): { pid: number; identity: string } | undefined {
  const match = /^\{"pid":(\d+),"identity":"([^"]+)"\}$/.exec(content)
  return match?.[1] && match[2] ? { pid: Number(match[1]), identity: match[2] } : undefined
}

async function isYoung(path: string): Promise<boolean> {
  const file = await stat(path).catch(whenMissing(undefined))
  return file === undefined || Date.now() - file.mtimeMs < HALF_WRITTEN_LIMIT_MS
}
