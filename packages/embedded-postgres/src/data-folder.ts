import { createHash, randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import type { Binaries } from './find-binaries.ts'
import { runProgram } from './run-program.ts'
import { firstClosedFolder, type ServerAccount } from './server-account.ts'

const RELOCATED_ROOT = '/var/lib/crunch/embedded-postgres'
const INITIALISATION_LIMIT_MS = 120_000
const relocatedName = /^data\.[0-9a-f]{16}$/

/** The folder with the data of `directory`; a link if the user of the server cannot reach `directory`. */
export function dataPathOf(directory: string): string {
  return join(directory, 'data')
}

/** The major version of PostgreSQL that created the data, or undefined if there is no complete data folder. */
export async function dataMajorVersion(directory: string): Promise<number | undefined> {
  const data = dataPathOf(directory)
  if (!(await exists(join(data, 'global', 'pg_control')))) return undefined
  return Number((await readFile(join(data, 'PG_VERSION'), 'utf8')).trim())
}

/**
 * Creates the data folder. initdb works in a folder beside it that is then renamed, so a folder named `data` is always complete.
 * Removes the files of interrupted attempts. Call it while holding the lock of the directory.
 */
export async function initialiseData(input: {
  readonly directory: string
  readonly binaries: Binaries
  readonly account: ServerAccount
  readonly password: string
  readonly fsync: boolean
  readonly log: (line: string) => void
}): Promise<void> {
  const { directory, account, log } = input
  await removeHalfMade(directory, directory, log)
  await removeHalfMade(RELOCATED_ROOT, directory, log)
  await setAsideForeignData(directory, log)
  const parent = await reachableParent(directory, account, log)
  const temporary = join(parent, `${halfMadePrefix(directory)}${randomBytes(4).toString('hex')}`)
  await mkdir(temporary, { mode: 0o700 })
  const passwordFile = `${temporary}.password`
  await writeFile(passwordFile, input.password, { mode: 0o600, flag: 'wx' })
  if (account.uid !== undefined && account.gid !== undefined) {
    await chown(temporary, account.uid, account.gid)
    await chown(passwordFile, account.uid, account.gid)
  }
  try {
    await runInitdb({ ...input, temporary, passwordFile })
  } finally {
    await rm(passwordFile, { force: true })
  }
  if (parent === directory) return rename(temporary, dataPathOf(directory))
  const relocated = join(parent, `data.${randomBytes(8).toString('hex')}`)
  await rename(temporary, relocated)
  await symlink(relocated, dataPathOf(directory))
}

async function runInitdb(input: {
  readonly binaries: Binaries
  readonly account: ServerAccount
  readonly temporary: string
  readonly passwordFile: string
  readonly fsync: boolean
}): Promise<void> {
  const settings = ['--username=crunch', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--data-checksums']
  const { output, failure } = await runProgram(
    input.binaries.initdb,
    [
      `--pgdata=${input.temporary}`,
      `--pwfile=${input.passwordFile}`,
      ...settings,
      ...(input.fsync ? [] : ['--no-sync']),
    ],
    INITIALISATION_LIMIT_MS,
    { ...input.account, cwd: '/' },
  )
  if (failure === undefined) return
  await rm(input.temporary, { recursive: true, force: true })
  throw new EmbeddedPostgresError(
    'INITIALISATION_FAILED',
    `The database in ${input.temporary} could not be created: ${failure}. Correct the cause below and start again, ` +
      `or set DATABASE_URL.\n${output}`,
  )
}

/** The name contains a hash of the directory, since the data of several directories may be created in one place. */
function halfMadePrefix(directory: string): string {
  return `data.initialising.${createHash('sha256').update(directory).digest('hex').slice(0, 12)}.`
}

async function removeHalfMade(folder: string, directory: string, log: (line: string) => void): Promise<void> {
  if (!(await exists(folder))) return
  for (const name of await readdir(folder)) {
    if (!name.startsWith(halfMadePrefix(directory))) continue
    log(`Removing ${join(folder, name)}: its creation was interrupted`)
    // Retries, because an initdb whose parent was killed may still be writing.
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

/** Renames a folder `data` without a complete database. It is never deleted, since this program did not create it. */
async function setAsideForeignData(directory: string, log: (line: string) => void): Promise<void> {
  const data = dataPathOf(directory)
  if (!(await exists(data))) return
  const aside = `${data}.incomplete.${randomBytes(4).toString('hex')}`
  await rename(data, aside)
  log(`${data} contained no complete database: it was renamed to ${aside}, and a new database is created`)
}

/**
 * For root, the server runs as an unprivileged user, who cannot enter directories below /root. The data are then under
 * /var/lib, with a link in the directory.
 */
async function reachableParent(
  directory: string,
  account: ServerAccount,
  log: (line: string) => void,
): Promise<string> {
  const closed = await firstClosedFolder(await realpath(directory), account)
  if (closed === undefined) return directory
  await mkdir(RELOCATED_ROOT, { recursive: true })
  // Independent of the umask.
  for (const folder of [dirname(RELOCATED_ROOT), RELOCATED_ROOT]) await chmod(folder, 0o755)
  log(
    `PostgreSQL does not run as root, and its user may not enter ${closed}: the data is in ${RELOCATED_ROOT}, ` +
      `with a link at ${dataPathOf(directory)}`,
  )
  return RELOCATED_ROOT
}

/** Deletes the data, including data that {@link initialiseData} created elsewhere. Of any other link it only removes the link. */
export async function removeData(directory: string): Promise<void> {
  const data = dataPathOf(directory)
  if (await exists(data)) {
    const place = (await lstat(data)).isSymbolicLink() ? resolve(directory, await readlink(data)) : data
    if (relocatedName.test(basename(place))) await rm(place, { recursive: true, force: true })
  }
  await rm(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(() => true, whenMissing(false, ['ENOENT', 'ENOTDIR']))
}
