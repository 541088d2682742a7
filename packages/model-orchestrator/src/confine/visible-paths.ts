import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A chain of links longer than this is a loop. */
const MAX_LINKS = 40

/** Paths that a confined process may read, and paths inside them that are hidden. Absolute. */
export interface VisiblePaths {
  readonly readable: readonly string[]
  readonly hidden: readonly string[]
}

/**
 * Returns the paths that a program needs to read: its folders, its installation, the packages of the files named in its
 * arguments, every `node_modules` from which those import, and the targets of their links. A linked folder that contains
 * one of `secret` is left out: in a monorepo the node's folder may be linked like any package.
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
    // The nearest package.json decides whether Node treats the files as modules.
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

/** Returns the installation of a system program, following its links. */
export function findProgramPaths(program: string, secret: readonly string[]): readonly string[] {
  const hidden = [homedir(), ...secret].map((path) => resolve(path))
  const isSecret = (folder: string) => hidden.some((path) => holds(folder, path))
  return linkChain(resolve(program)).map((path) => installationOf(path, isSecret))
}

/** Whether `path` is `folder` or inside it. Both must be absolute and resolved: a start makes some ten thousand comparisons. */
export function holds(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

/** The path of an existing file, given as a path or a file URL; null for any other argument. */
function existingFile(text: string): string | null {
  const path = text.startsWith('file://') ? fileURLToPath(text) : text
  return isAbsolute(path) && statSync(path, { throwIfNoEntry: false })?.isFile() ? resolve(path) : null
}

/** Links in a `node_modules` folder to packages outside it. */
function linksIn(modules: string): string[] {
  return readdirSync(modules, { withFileTypes: true }).flatMap((entry) => {
    const path = join(modules, entry.name)
    if (entry.name.startsWith('@') && entry.isDirectory()) return linksIn(path)
    const target = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : undefined
    return target?.isDirectory() ? [path] : []
  })
}

/** The path and every link target on the way to the final file. Each must be visible for the link to work. */
export function linkChain(path: string): string[] {
  const chain = [path]
  for (let current = path; chain.length < MAX_LINKS && lstatSync(current).isSymbolicLink(); ) {
    current = resolve(dirname(current), readlinkSync(current))
    chain.push(current)
  }
  return chain
}

/** The program's installation with its libraries, `/opt/node` for `/opt/node/bin/node`; otherwise only the file. */
function installationOf(program: string, isSecret: (folder: string) => boolean): string {
  const folder = dirname(dirname(program))
  const library = join(folder, 'lib')
  if (isSecret(folder) || !existsSync(library)) return program
  const isInstallation = readdirSync(library).some((name) => name === 'node_modules' || /^python3\.\d+$/.test(name))
  return isInstallation ? folder : program
}

/** The nearest folder with a package.json; null if there is none. */
function packageOf(file: string): string | null {
  for (let folder = dirname(file); dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
  }
  return null
}
