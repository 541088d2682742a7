import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processIdentity, whenMissing, withDirectoryLock } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { parseJson } from '../parse-json.ts'

/** The supervisor of a workspace and its addresses. The file is also the lock. */
export interface SupervisorRecord {
  readonly pid: number
  readonly identity: string
  readonly startedAt: number
  readonly socketPath: string
  /** The address of the report API. */
  readonly apiUrl: string
  /** The address of the model orchestrator's own API; `null` when another machine runs the models. */
  readonly modelsUrl: string | null
  /** `live`, or what is replayed. */
  readonly mode: string
}

const recordName = 'supervisor.json'

/** The mode of `crunch deploy dev`, whose workers the operator starts. */
export const devMode = 'dev: only the database and the models'

/** The mode of a replay. */
export const replayMode = (files: readonly string[]) => `replay of ${files.join(', ')}`

/** Checking and writing the record takes milliseconds, even if many supervisors start at once. */
const claimWaitMs = 10_000

/** The record of the running supervisor of a workspace; undefined if none runs, even if a killed one left its record. */
export async function readLiveSupervisor(stateDirectory: string): Promise<SupervisorRecord | undefined> {
  const record = await readRecord(join(stateDirectory, recordName))
  return record !== undefined && processIdentity(record.pid) === record.identity ? record : undefined
}

/**
 * Makes this process the supervisor of the workspace. Of concurrent attempts one succeeds. The record of a dead supervisor is replaced.
 * @throws CliError if another supervisor runs.
 */
export async function claimWorkspace(
  stateDirectory: string,
  details: Pick<SupervisorRecord, 'apiUrl' | 'modelsUrl' | 'mode'>,
): Promise<SupervisorRecord> {
  await mkdir(stateDirectory, { recursive: true })
  const path = join(stateDirectory, recordName)
  const record: SupervisorRecord = {
    pid: process.pid,
    identity: processIdentity(process.pid) ?? '',
    startedAt: Date.now(),
    socketPath: controlSocketPath(stateDirectory),
    ...details,
  }
  // Checking and writing are serialised, so that two processes cannot both replace the record of a dead supervisor.
  const lockDirectory = join(stateDirectory, 'claim')
  await mkdir(lockDirectory, { recursive: true })
  await withDirectoryLock(lockDirectory, claimWaitMs, async () => {
    const holder = await readRecord(path)
    if (holder !== undefined && processIdentity(holder.pid) === holder.identity) throw alreadyRunning(holder)
    const draft = `${path}.draft`
    await writeFile(draft, JSON.stringify(record), { mode: 0o600 })
    await rename(draft, path)
  })
  return record
}

/** Releases the workspace if this process still holds it. */
export async function releaseWorkspace(stateDirectory: string, record: SupervisorRecord): Promise<void> {
  const path = join(stateDirectory, recordName)
  const current = await readRecord(path)
  if (current?.identity === record.identity) await rm(path, { force: true })
}

/** The error for a second deployment of a workspace. */
export function alreadyRunning(record: SupervisorRecord): CliError {
  return new CliError({
    place: 'crunch deploy',
    cause: `this workspace is already deployed (${record.mode}, process ${record.pid}, since ${new Date(record.startedAt).toISOString()}, API ${record.apiUrl})`,
    fix: 'inspect it with: crunch status, or stop it first with: crunch down',
  })
}

/** The path of a socket is limited to about 100 characters; for a longer one, the socket is in the temporary folder. */
function controlSocketPath(stateDirectory: string): string {
  const name = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\crunch-${name}`
  const inside = join(stateDirectory, 'supervisor.sock')
  return Buffer.byteLength(inside) <= 100 ? inside : join(tmpdir(), `crunch-${name}.sock`)
}

async function readRecord(path: string): Promise<SupervisorRecord | undefined> {
  const text = await readFile(path, 'utf8').catch(whenMissing(undefined))
  if (text === undefined) return undefined
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return undefined
  const {
    pid,
    identity,
    startedAt,
    socketPath,
    apiUrl,
    modelsUrl = null,
    mode,
  } = value as Partial<Record<keyof SupervisorRecord, unknown>>
  const valid =
    typeof pid === 'number' &&
    typeof identity === 'string' &&
    typeof startedAt === 'number' &&
    typeof socketPath === 'string' &&
    typeof apiUrl === 'string' &&
    (typeof modelsUrl === 'string' || modelsUrl === null) &&
    typeof mode === 'string'
  return valid ? { pid, identity, startedAt, socketPath, apiUrl, modelsUrl, mode } : undefined
}
