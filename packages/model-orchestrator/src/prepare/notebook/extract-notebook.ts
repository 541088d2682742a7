import { posix } from 'node:path'

import { isPrintable, printable } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'

import { RunFailure } from '../../run-failure.ts'
import { checkRequirement, parseRequirements } from '../python/python-requirements.ts'
import {
  type ImportedPackage,
  importedPackage,
  importRequirement,
  joinRequirements,
  mergeImports,
  packageOfModule,
} from './import-requirement.ts'
import { installedPackages } from './installed-packages.ts'
import { type NotebookCode, type NotebookReading, readNotebook } from './read-notebook.ts'

/** Linux's limit for one file name, in bytes. */
const MAX_NAME_BYTES = 255
const MAX_PATH_CHARACTERS = 1_000
/** Each warning is a line of the log. */
const MAX_WARNINGS = 200

/** The program extracted from a notebook. */
export interface ExtractedNotebook {
  readonly source: string
  readonly imports: readonly (ImportedPackage & { readonly isStandard: boolean })[]
  /** The packages that the notebook's commands install. */
  readonly installed: readonly string[]
  /** The files beside the notebook and those in its cells, by path. */
  readonly files: ReadonlyMap<string, Buffer>
  readonly warnings: readonly string[]
}

/**
 * Converts a notebook into a program, as crunch-convert does. `beside` are the files beside the notebook, by path.
 * Throws `BUILD_FAILED` with the cell and the line, both counted from 1.
 */
export async function extractNotebook(
  reading: NotebookReading,
  beside: ReadonlyMap<string, Buffer> = new Map(),
): Promise<ExtractedNotebook> {
  const code = await readNotebook(reading)
  const files = withFilesOf(code, beside, reading.file)
  const { installed, warnings } = installedBy(code, reading.file, files)
  return {
    source: code.lines.map((line) => `${line}\n`).join(''),
    imports: importsOf(code, reading.file),
    installed,
    files,
    warnings: bounded([...code.warnings, ...warnings]),
  }
}

/** The requirements of the notebook. `local` are modules that need no package, in addition to the notebook's files. */
export function notebookRequirements(notebook: ExtractedNotebook, local: ReadonlySet<string>): readonly string[] {
  const own = modulesOf(notebook.files)
  const imported = notebook.imports
    .filter(({ module, isStandard }) => !isStandard && !local.has(module) && !own.has(module))
    .map((one) => importRequirement({ ...one, name: one.name ?? packageOfModule(one.module) }))
  return joinRequirements(imported, notebook.installed)
}

/** Data files beside a program, such as `pandas.csv`, are not modules. */
function modulesOf(files: ReadonlyMap<string, Buffer>): ReadonlySet<string> {
  const programs = [...files.keys()].filter((path) => /\.(py|pyc|so)$/.test(path))
  return new Set(programs.map((path) => /^[^/.]*/.exec(path)?.[0] ?? ''))
}

function importsOf({ imports }: NotebookCode, file: string): ExtractedNotebook['imports'] {
  const byModule = new Map<string, ImportedPackage & { isStandard: boolean }>()
  for (const { cell, line, module, isStandard, comment } of imports) {
    inCell(file, cell, line, () => {
      const found = importedPackage(module, comment)
      if (found === null) return
      const known = byModule.get(module)
      byModule.set(module, { ...(known === undefined ? found : mergeImports(known, found)), isStandard })
    })
  }
  return [...byModule.values()]
}

function installedBy({ commands }: NotebookCode, file: string, files: ReadonlyMap<string, Buffer>) {
  const warnings: string[] = []
  const read = new Set<string>()
  const installed = commands.flatMap(({ cell, line, text }) => {
    const place = `cell ${cell} line ${line}`
    const packages = installedPackages(text, (sentence) => warnings.push(`${place}: ${sentence}`), readRequirements)
    for (const one of packages) checkRequirement(one, `${file}: ${place}`)
    return packages
  })
  return { installed, warnings }

  function readRequirements(name: string) {
    const path = posix.normalize(name)
    const content = files.get(path)
    if (content === undefined) return null
    // Cached: commands may name a large file thousands of times.
    if (read.has(path)) return []
    read.add(path)
    return parseRequirements(content, `${file}: ${path}`)
  }
}

function bounded(warnings: readonly string[]): readonly string[] {
  if (warnings.length <= MAX_WARNINGS) return warnings
  return [...warnings.slice(0, MAX_WARNINGS), `${warnings.length - MAX_WARNINGS} more warnings`]
}

/** Runs `work` and adds the place to its errors. */
function inCell(file: string, cell: number, line: number, work: () => void): void {
  try {
    work()
  } catch (error) {
    throw new RunFailure('BUILD_FAILED', `${file}: cell ${cell} line ${line}: ${errorText(error)}`, { cause: error })
  }
}

function withFilesOf({ files }: NotebookCode, beside: ReadonlyMap<string, Buffer>, notebook: string) {
  const parts = new Map([...beside].map(([path, content]) => [path, [content]]))
  for (const { cell, path: name, text, how } of files) {
    inCell(notebook, cell, 1, () => {
      const path = filePath(name)
      const taken = [...parts.keys(), 'main.py', ...(how === 'new' ? ['requirements.txt'] : [])].find((known) =>
        conflicts(known, path, how),
      )
      if (taken !== undefined) throw new Error(`file "${name}" conflicts with ${taken}; choose another name`)
      const before = how === 'append' ? (parts.get(path) ?? []) : []
      parts.set(path, [...before, Buffer.from(text)])
    })
  }
  return new Map([...parts].map(([path, contents]) => [path, Buffer.concat(contents)]))
}

/** Returns a normalised path inside the submission, or throws. */
function filePath(name: string): string {
  const path = posix.normalize(name).replace(/\/$/, '')
  if (posix.isAbsolute(path) || path.startsWith('~') || path === '.' || path.split('/').includes('..')) {
    throw new Error(`file "${name}" is outside of the submission; choose a path inside it`)
  }
  const isUsable = path.split('/').every((part) => isPrintable(part) && Buffer.byteLength(part) <= MAX_NAME_BYTES)
  if (!isUsable || path.length > MAX_PATH_CHARACTERS) {
    throw new Error(
      `file "${printable(name.slice(0, 60))}" has a name that cannot be used; choose a shorter, visible one`,
    )
  }
  return path
}

/**
 * Whether two paths conflict: they are equal (unless the file is replaced or appended to), differ only in case, or one is a
 * folder of the other. main.py is the program, so it always conflicts.
 */
function conflicts(known: string, path: string, how: 'new' | 'replace' | 'append'): boolean {
  if (known === path) return how === 'new' || path === 'main.py'
  const [one, other] = [known.toLowerCase(), path.toLowerCase()]
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)
}
