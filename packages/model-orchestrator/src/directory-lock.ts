import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const RETRY_MS = 200
const HEARTBEAT_MS = 5_000

/** An owner that lives touches its lock; one that did not for this long is gone, whoever has its process id now. */
const STALE_AFTER_MS = 60_000

/**
 * Runs `work` while no other process, of ours or of another orchestrator, holds the lock folder `path`. The lock of a
 * process that died is taken over. `onWait` is called once when somebody else holds it. Rejects with the signal's
 * reason when `signal` aborts before it is our turn.
 */
export async function withDirectoryLock<Result>(
  path: string,
  signal: AbortSignal,
  onWait: (ownerPid: number | null) => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const token = `${process.pid} ${randomUUID()}`
  let hasWaited = false
  while (!(await acquire(path, token))) {
    const owner = await readOwner(path)
    if (await isStale(path, owner)) {
      await removeStale(path, owner)
      continue
    }
    if (!hasWaited) onWait(ownerPid(owner))
    hasWaited = true
    await delay(RETRY_MS, undefined, { signal })
  }
  const heartbeat = setInterval(() => {
    const now = new Date()
    // A lock that was taken from us is noticed by nobody but the release below, which then leaves it alone.
    utimes(path, now, now).catch(() => undefined)
  }, HEARTBEAT_MS)
  heartbeat.unref()
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    if ((await readOwner(path)) === token) await removeWhole(path)
  }
}

/** The folder appears with its owner in it: a lock without an owner could never be judged. */
async function acquire(path: string, token: string): Promise<boolean> {
  const own = `${path}.${randomUUID()}`
  await mkdir(own)
  await writeFile(join(own, 'owner'), token)
  try {
    await rename(own, path)
    return true
  } catch (error) {
    await rm(own, { recursive: true, force: true })
    if (hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST')) return false
    throw error
  }
}

async function readOwner(path: string): Promise<string | null> {
  try {
    return await readFile(join(path, 'owner'), 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

function ownerPid(owner: string | null): number | null {
  const pid = Number.parseInt(owner ?? '', 10)
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null
}

async function isStale(path: string, owner: string | null): Promise<boolean> {
  const pid = ownerPid(owner)
  if (pid === null) return false
  if (pid !== process.pid && !isAlive(pid)) return true
  const touchedAtMs = await modifiedAtMs(path)
  return touchedAtMs !== null && Date.now() - touchedAtMs > STALE_AFTER_MS
}

/** One remover at a time, and it looks again: else two of them could remove the lock that a third just took. */
async function removeStale(path: string, judged: string | null): Promise<void> {
  const turn = `${path}.removal`
  try {
    await mkdir(turn)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    const sinceMs = await modifiedAtMs(turn)
    if (sinceMs !== null && Date.now() - sinceMs > STALE_AFTER_MS) await rmdir(turn).catch(ignoreMissing)
    await delay(RETRY_MS)
    return
  }
  try {
    if ((await readOwner(path)) === judged) await removeWhole(path)
  } finally {
    await rmdir(turn).catch(ignoreMissing)
  }
}

/** In one step: a lock that is empty for a moment could be taken, and its new owner removed with the rest. */
async function removeWhole(path: string): Promise<void> {
  const gone = `${path}.${randomUUID()}`
  try {
    await rename(path, gone)
  } catch (error) {
    ignoreMissing(error)
  }
  await rm(gone, { recursive: true, force: true })
}

async function modifiedAtMs(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    (error: unknown) => {
      ignoreMissing(error)
      return null
    },
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !hasCode(error, 'ESRCH')
  }
}

function ignoreMissing(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
