import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { OrchestratorError } from '../errors.ts'

const KEY_BYTES = 32

/** The key file of an orchestrator with its logs (or else its submissions) in `directory`. */
export function orchestratorKeyFileIn(directory: string): string {
  // Ids begin with a letter or digit, so no folder of a model or submission has this name.
  return join(directory, '.orchestrator-key')
}

/**
 * Returns the key of an orchestrator, and creates it at the first start. Only the current user can read the file; a key
 * that other users could read is replaced. Throws `SETTINGS_INVALID`.
 */
export function openOrchestratorKey(directory: string): string {
  const path = orchestratorKeyFileIn(directory)
  try {
    mkdirSync(directory, { recursive: true })
    if (isOpenToOthers(path)) rmSync(path)
    return readOrchestratorKey(path) ?? makeKey(path)
  } catch (error) {
    const problem = `${path}: the key cannot be stored (${errorText(error)}); make its folder writable, or set API_KEY`
    throw new OrchestratorError('SETTINGS_INVALID', problem, { cause: error })
  }
}

/** Returns `undefined` before the first start. Throws errors of the file system. */
export function readOrchestratorKey(path: string): string | undefined {
  try {
    const key = readFileSync(path, 'utf8').trim()
    if (key.length >= KEY_BYTES) return key
    throw new Error('it is too short to be a key; delete it, and a new one is created at the next start')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Atomic: if two orchestrators start at once, both use the key that was created first. */
function makeKey(path: string): string {
  const own = `${path}.${process.pid}.new`
  writeFileSync(own, `${randomBytes(KEY_BYTES).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    // The umask may have changed the mode of the new file.
    chmodSync(own, 0o600)
    linkSync(own, path)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(own)
  }
  const key = readOrchestratorKey(path)
  if (key === undefined) throw new Error('it was deleted while it was being created')
  return key
}

function isOpenToOthers(path: string): boolean {
  const { mode } = statSync(path, { throwIfNoEntry: false }) ?? { mode: 0 }
  return (mode & 0o077) !== 0
}
