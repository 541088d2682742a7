import { randomUUID } from 'node:crypto'
import { link, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { errorText, OrchestratorError } from './orchestrator-error.ts'

/** Far longer than an edit takes: a lock of this age belongs to a program that was stopped in the middle. */
const STALE_AFTER_MS = 10_000
const WAIT_LIMIT_MS = 20_000
const RETRY_MS = 15

/**
 * Runs `work` while no other program (or other call here) works on the file at `path`, by a lock file beside it that
 * names its owner. The lock of a dead owner is taken over. `work` gets a function that throws when the lock was lost
 * meanwhile; call it right before the change becomes visible.
 *
 * Throws `MODELS_FILE_LOCKED` when it is not our turn within 20 s.
 */
export async function withFileLock<Result>(
  path: string,
  work: (assertHeld: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const lock = `${path}.lock`
  const owner = `${process.pid} ${randomUUID()}`
  await acquire(lock, owner)
  const isHeld = async () => (await ownerOf(lock)) === owner
  try {
    return await work(async () => {
      if (await isHeld()) return
      throw new OrchestratorError('MODELS_FILE_LOCKED', `${path}: its lock was lost while it was edited; try again`)
    })
  } finally {
    if (await isHeld()) await rm(lock, { force: true })
  }
}

async function acquire(lock: string, owner: string): Promise<void> {
  const offer = `${lock}.${owner.replace(' ', '-')}`
  // A link appears with its content, so nobody ever reads a lock without an owner.
  try {
    await writeFile(offer, owner, { flag: 'wx' })
  } catch (error) {
    const problem = `cannot be written (${errorText(error)}); make its folder writable`
    throw new OrchestratorError('MODELS_FILE_LOCKED', `${lock} ${problem}`, { cause: error })
  }
  try {
    const deadline = Date.now() + WAIT_LIMIT_MS
    while (!(await linked(offer, lock))) {
      if (await isStale(lock)) await removeStale(lock, offer)
      else if (Date.now() > deadline) {
        const problem = `is held by process ${(await ownerOf(lock))?.split(' ')[0] ?? 'unknown'}`
        throw new OrchestratorError('MODELS_FILE_LOCKED', `${lock} ${problem}; end it, or delete the lock file`)
      } else await delay(RETRY_MS * (1 + Math.random()))
    }
  } finally {
    await rm(offer, { force: true })
  }
}

async function linked(offer: string, lock: string): Promise<boolean> {
  try {
    await link(offer, lock)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

async function isStale(lock: string): Promise<boolean> {
  const owner = await ownerOf(lock)
  if (owner === null) return false // Released just now.
  const { mtimeMs } = await stat(lock).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return { mtimeMs: Date.now() }
    throw error
  })
  return Date.now() - mtimeMs > STALE_AFTER_MS || !isAlive(Number(owner.split(' ')[0]))
}

/** Two that find the same stale lock may not remove each other's fresh one: only the holder of the second lock removes. */
async function removeStale(lock: string, offer: string): Promise<void> {
  const removal = `${lock}.removal`
  if (!(await linked(offer, removal))) {
    const holder = await ownerOf(removal)
    if (holder !== null && !isAlive(Number(holder.split(' ')[0]))) await rm(removal, { force: true })
    await delay(RETRY_MS)
    return
  }
  try {
    if (await isStale(lock)) await unlink(lock)
  } finally {
    await rm(removal, { force: true })
  }
}

async function ownerOf(lock: string): Promise<string | null> {
  try {
    return await readFile(lock, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !isCode(error, 'ESRCH') // EPERM: it lives, and is somebody else's.
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
