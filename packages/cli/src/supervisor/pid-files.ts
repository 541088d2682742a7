import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { parseJson } from '../parse-json.ts'
import { endProcess } from './end-process.ts'

/** A process that was ended, for a message. */
export interface EndedProcess {
  readonly service: string
  readonly pid: number
}

/** One process that a supervisor started. */
export interface PidRecord extends EndedProcess {
  /** From `processIdentity`: distinguishes this process from a later one with the same pid. */
  readonly identity: string
  readonly startedAt: number
}

/** Writes `<directory>/<service>.json` atomically. */
export async function writePidFile(directory: string, record: PidRecord): Promise<void> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, `${record.service}.json`)
  const draft = `${path}.${process.pid}.draft`
  await writeFile(draft, JSON.stringify(record))
  await rename(draft, path)
}

export async function removePidFile(directory: string, service: string): Promise<void> {
  await rm(join(directory, `${service}.json`), { force: true })
}

/** The records of a directory, empty if it does not exist. Drafts and damaged files are removed. */
export async function readPidFiles(directory: string): Promise<readonly PidRecord[]> {
  const records: PidRecord[] = []
  for (const name of await readdir(directory).catch(whenMissing<string[]>([]))) {
    const path = join(directory, name)
    const record = name.endsWith('.json') ? parsePidRecord(await readFile(path, 'utf8')) : undefined
    if (record === undefined) await rm(path, { force: true })
    else records.push(record)
  }
  return records
}

/**
 * Ends the processes that a killed supervisor left, and returns those that were still alive. A caller that has not claimed the
 * workspace passes `isSupervised`: processes of another supervisor are left alone.
 */
export async function endLeftovers(
  directory: string,
  isSupervised: () => Promise<boolean> = async () => false,
): Promise<readonly PidRecord[]> {
  if (await isSupervised()) return []
  const records = await readPidFiles(directory)
  // Checked again: a supervisor that has just started may have written some of these files. It claims the workspace first.
  if (await isSupervised()) return []
  const ended = await Promise.all(
    records.map(async (record) => {
      const wasAlive = await endProcess(record.pid, record.identity)
      await removePidFile(directory, record.service)
      return wasAlive ? [record] : []
    }),
  )
  return ended.flat()
}

function parsePidRecord(text: string): PidRecord | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return undefined
  const { service, pid, identity, startedAt } = value as Partial<Record<keyof PidRecord, unknown>>
  if (typeof service !== 'string' || typeof identity !== 'string') return undefined
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1 || typeof startedAt !== 'number')
    return undefined
  return { service, pid, identity, startedAt }
}
