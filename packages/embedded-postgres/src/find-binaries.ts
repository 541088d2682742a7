import { readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { binaryPackageName, findPackageBinaries } from './package-binaries.ts'
import { runProgram } from './run-program.ts'
import type { ServerAccount } from './server-account.ts'

const OLDEST_MAJOR = 15
const SYSTEM_FOLDER = '/usr/lib/postgresql'

/** The programs of a PostgreSQL installation that works on this machine. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  readonly major: number
}

/** Overrides the usual search locations. */
export interface BinarySources {
  readonly packageName: string
  readonly systemFolders: readonly string[]
}

/**
 * Finds the PostgreSQL to run: the installed binary package, or else one of the system (15 or newer), which is logged. With
 * `dataMajor`, the version that created the data, only that major version is accepted.
 */
export async function findBinaries(
  account: ServerAccount,
  dataMajor: number | undefined,
  log: (line: string) => void,
  sources: Partial<BinarySources> = {},
): Promise<Binaries> {
  const reasons: string[] = []
  const packageName = sources.packageName ?? binaryPackageName()
  const packaged = await tryPackage(packageName, account, dataMajor, reasons, log)
  if (packaged !== undefined) return packaged
  for (const folder of sources.systemFolders ?? (await systemFolders())) {
    const found = await tryFolder(folder, account, dataMajor, reasons)
    if (found === undefined) continue
    log(`Using the system's PostgreSQL ${found.major} in ${folder}, since: ${reasons.join('; ')}`)
    return found
  }
  throw notFound(dataMajor, reasons)
}

async function tryPackage(
  packageName: string,
  account: ServerAccount,
  dataMajor: number | undefined,
  reasons: string[],
  log: (line: string) => void,
): Promise<Binaries | undefined> {
  try {
    const folder = await findPackageBinaries(packageName, log)
    if (folder !== undefined) return await tryFolder(folder, account, dataMajor, reasons)
    reasons.push(`${packageName} is not installed`)
  } catch (error) {
    // The reason is in the log line of the fallback, or in the final error.
    reasons.push(`${packageName} cannot be used: ${errorText(error)}`)
  }
  return undefined
}

/** Runs the program to get its version, which also detects a wrong C library (musl) or a missing library. */
async function tryFolder(
  folder: string,
  account: ServerAccount,
  dataMajor: number | undefined,
  reasons: string[],
): Promise<Binaries | undefined> {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const postgres = join(folder, `postgres${suffix}`)
  const { output, failure } = await runProgram(postgres, ['--version'], 10_000, { ...account, cwd: '/' })
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(output)?.[1])
  if (failure !== undefined || Number.isNaN(major)) {
    reasons.push(`${postgres} does not run here: ${[failure, output].filter(Boolean).join(', ')}`)
    return undefined
  }
  if (dataMajor === undefined ? major >= OLDEST_MAJOR : major === dataMajor) {
    return { initdb: join(folder, `initdb${suffix}`), postgres, major }
  }
  reasons.push(`${postgres} is version ${major}`)
  return undefined
}

async function systemFolders(): Promise<string[]> {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const withServer: string[] = []
  for (const folder of onPath) {
    const names = await listIfPresent(folder)
    if (names.includes('postgres') && names.includes('initdb')) withServer.push(folder)
  }
  const majors = (await listIfPresent(SYSTEM_FOLDER)).filter((name) => /^\d+$/.test(name)).map(Number)
  const debian = majors.sort((a, b) => b - a).map((major) => join(SYSTEM_FOLDER, String(major), 'bin'))
  return [...withServer, ...debian]
}

async function listIfPresent(folder: string): Promise<string[]> {
  return readdir(folder).catch(whenMissing<string[]>([], ['ENOENT', 'ENOTDIR', 'EACCES']))
}

function notFound(dataMajor: number | undefined, reasons: readonly string[]): EmbeddedPostgresError {
  const tried = `Tried: ${reasons.join('; ')}.`
  if (dataMajor !== undefined) {
    return new EmbeddedPostgresError(
      'VERSION_MISMATCH',
      `The data was created by PostgreSQL ${dataMajor}, and no server of that version was found. Install PostgreSQL ${dataMajor}, ` +
        `move the database directory away to start over, or set DATABASE_URL. ${tried}`,
    )
  }
  return new EmbeddedPostgresError(
    'BINARIES_NOT_FOUND',
    `No PostgreSQL runs on this machine (${process.platform} ${process.arch}). Set DATABASE_URL to your own server, ` +
      `or install PostgreSQL ${OLDEST_MAJOR} or newer. ${tried}`,
  )
}
