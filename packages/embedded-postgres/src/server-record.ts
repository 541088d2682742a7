import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

const serverRecordSchema = z.strictObject({
  password: z.string().min(16),
  port: z.number().int().min(1).max(65_535).optional(),
  /** Set once the data folder is complete. If the data are missing later, the folder is damaged rather than new. */
  initialised: z.boolean(),
  /** The process that will stop the server; absent for a detached server. */
  owner: z.strictObject({ pid: z.number().int(), identity: z.string() }).optional(),
})

/** The file that keeps settings of a directory between starts. It contains the password, so only the owner can read it. */
export type ServerRecord = z.infer<typeof serverRecordSchema>

/** A record for a directory used for the first time, with a random password. */
export function newServerRecord(): ServerRecord {
  return { password: randomBytes(24).toString('base64url'), initialised: false }
}

/** The record of a directory; undefined if it has none. */
export async function readServerRecord(directory: string): Promise<ServerRecord | undefined> {
  const path = recordPath(directory)
  try {
    return serverRecordSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw new EmbeddedPostgresError(
      'SETTINGS_UNREADABLE',
      `${path} cannot be read: ${errorText(error)}. It contains the port and the ` +
        `password of the database in ${directory}: restore it, run as the user who created it, or move ${directory} away to start over.`,
      { cause: error },
    )
  }
}

/** Replaces the record atomically: after a crash, the file is either old or new. */
export async function writeServerRecord(directory: string, record: ServerRecord): Promise<void> {
  const path = recordPath(directory)
  const temporary = `${path}.new`
  await writeFile(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600, flush: true })
  await rename(temporary, path)
}

/** The address of the database `crunch` on the server of a record. */
export function serverUrl(record: ServerRecord, port: number, database = 'crunch'): string {
  return `postgres://crunch:${record.password}@127.0.0.1:${port}/${database}`
}

function recordPath(directory: string): string {
  return join(directory, 'server.json')
}
