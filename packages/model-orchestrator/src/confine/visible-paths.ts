import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A chain of links longer than this is a loop. */
const MAX_LINKS = 40

/** What a confined process may read, and what inside that is hidden again. Absolute paths. */
export interface VisiblePaths {
  readonly readable: readonly string[]
  readonly hidden: readonly string[]
}

/**
 * What a program needs to read: its folders, itself with what it was installed with, the packages of the files named in
 * its arguments, and every `node_modules` from which those import, wherever their links lead. A linked folder that holds
 * one of `secret` stays out: in a workspace of packages the node's own folder may be linked like any other.
 */
export function findVisiblePaths(input: {
  readonly command: string
  readonly args: readonly string[]
  readonly directories: readonly string[]
  readonly secret: readonly string[]
}): VisiblePaths {
  const readable = new Set<string>()
  const hidden = new Set<string>()
  const followed = new Set<string>()
  const directories = input.directories.map((path) => resolve(path))
  const secret = [homedir(), ...input.secret].map((path) => resolve(path))
  const isSecret = (folder: string) => secret.some((path) => holds(folder, path))

  function addPackage(folder: string): void {
    const real = realpathSync.native(folder)
    if (isSecret(real) || [...readable].some((known) => holds(known, real))) return
    readable.add(real)
    if (!real.includes(`${sep}node_modules${sep}`)) {
      for (const name of readdirSync(real)) if (name.startsWith('.env')) hidden.add(join(real, name))
    }
    addImports(real)
  }

  function addImports(start: string): void {
    for (let folder = start; ; folder = dirname(folder)) {
      const modules = join(folder, 'node_modules')
      if (!followed.has(modules) && existsSync(modules)) {
        followed.add(modules)
        readable.add(modules)
        for (const link of linksIn(modules)) addPackage(link)
      }
      if (dirname(folder) === folder) return
    }
  }

  for (const directory of directories) {
    readable.add(directory)
    const real = realpathSync.native(directory)
    readable.add(real)
    addImports(real)
    // Says how Node takes the files of a folder that has none of its own.
    const owner = packageOf(join(real, 'package.json'))
    if (owner !== null) readable.add(join(owner, 'package.json'))
  }
  const isInside = (path: string) => directories.some((directory) => holds(directory, path))
  for (const text of [process.execPath, input.command, ...input.args]) {
    const program = existingFile(text)
    if (program === null) continue
    for (const path of linkChain(program)) if (!isInside(path)) readable.add(installationOf(path, isSecret))
    if (isInside(program)) continue
    const own = packageOf(realpathSync.native(program))
    if (own !== null && !isSecret(own)) addPackage(own)
    else addImports(dirname(realpathSync.native(program)))
  }
  return { readable: [...readable].sort(), hidden: [...hidden].sort() }
}

/** What a program of the machine needs to run: itself with what it was installed with, wherever its links lead. */
export function findProgramPaths(program: string, secret: readonly string[]): readonly string[] {
  const hidden = [homedir(), ...secret].map((path) => resolve(path))
  const isSecret = (folder: string) => hidden.some((path) => holds(folder, path))
  return linkChain(resolve(program)).map((path) => installationOf(path, isSecret))
}

/** Whether `path` is `folder` or lies in it. Both are absolute and resolved: a start compares some ten thousand of them. */
export function holds(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

/** An argument that is a file, or the address of one. */
function existingFile(text: string): string | null {
  const path = text.startsWith('file://') ? fileURLToPath(text) : text
  return isAbsolute(path) && statSync(path, { throwIfNoEntry: false })?.isFile() ? resolve(path) : null
}

/** Packages elsewhere that a `node_modules` folder links to. */
function linksIn(modules: string): string[] {
  return readdirSync(modules, { withFileTypes: true }).flatMap((entry) => {
    const path = join(modules, entry.name)
    if (entry.name.startsWith('@') && entry.isDirectory()) return linksIn(path)
    const target = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : undefined
    return target?.isDirectory() ? [path] : []
  })
}

/** The path and everything it is a link to, each of which has to be there to be followed. */
export function linkChain(path: string): string[] {
  const chain = [path]
  for (let current = path; chain.length < MAX_LINKS && lstatSync(current).isSymbolicLink(); ) {
    current = resolve(dirname(current), readlinkSync(current))
    chain.push(current)
  }
  return chain
}

/** Where the program was installed with its libraries, `/opt/node` for `/opt/node/bin/node`; else only the file. */
function installationOf(program: string, isSecret: (folder: string) => boolean): string {
  const folder = dirname(dirname(program))
  const library = join(folder, 'lib')
  if (isSecret(folder) || !existsSync(library)) return program
  const isInstallation = readdirSync(library).some((name) => name === 'node_modules' || /^python3\.\d+$/.test(name))
  return isInstallation ? folder : program
}

/** The nearest folder with a package.json; null when there is none. */
function packageOf(file: string): string | null {
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
  }
  return null
}
