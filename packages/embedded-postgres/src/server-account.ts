import { execFileSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** The operating-system user that runs the server, as an option of `spawn`. Empty for the user of this process. */
export interface ServerAccount {
  readonly uid?: number
  readonly gid?: number
}

/** Whether this process is root. PostgreSQL refuses to run as root. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/**
 * For root: the owner of existing data (a normal user keeps theirs), or else `nobody`.
 * For other users: the user of this process.
 */
export async function chooseServerAccount(dataPath: string): Promise<ServerAccount> {
  if (!isRoot()) return {}
  try {
    const { uid, gid } = await stat(dataPath)
    if (uid !== 0) return { uid, gid }
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
  return { uid: numericId('-u'), gid: numericId('-g') }
}

function numericId(flag: '-u' | '-g'): number {
  try {
    return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
  } catch (error) {
    throw new EmbeddedPostgresError(
      'START_FAILED',
      'PostgreSQL does not run as root and this machine has no user "nobody" to run it as. Run as a normal user, or set DATABASE_URL.',
      { cause: error },
    )
  }
}

/** The first folder on the way to `path` that the account may not enter; undefined if it can reach `path`. */
export async function firstClosedFolder(path: string, account: ServerAccount): Promise<string | undefined> {
  if (account.uid === undefined) return undefined
  const folders: string[] = []
  for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) folders.unshift(folder)
  for (const folder of folders) {
    const { mode, uid, gid } = await stat(folder)
    const executeBit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & executeBit) === 0) return folder
  }
  return undefined
}
