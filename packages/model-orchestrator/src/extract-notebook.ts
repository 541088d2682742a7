import { posix } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import {
  type ImportedPackage,
  importedPackages,
  importRequirement,
  installedPackages,
  joinRequirements,
  mergeImports,
} from './import-requirement.ts'
import { errorText } from './orchestrator-error.ts'
import { CellError, type CellStatement, type PythonCell, readPythonCell } from './python-cell.ts'
import { isStandardModule, packageOfModule } from './python-names.ts'
import { checkRequirement } from './python-requirements.ts'
import { RunFailure } from './run-failure.ts'

/** A program made of a notebook. */
export interface ExtractedNotebook {
  readonly source: string
  /** Where each line of `source` comes from, both counted from 1; null for lines between cells. */
  readonly origins: readonly ({ readonly cell: number; readonly line: number } | null)[]
  readonly imports: readonly ImportedPackage[]
  /** What the notebook's commands install. */
  readonly installed: readonly string[]
  /** Files that text cells hold: `---`, `file: name`, `---`, content. */
  readonly files: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
}

const text = z.union([z.string(), z.array(z.string())])
const notebookSchema = z.object({
  nbformat: z.literal(4, 'only notebooks of format 4 are read; open it in Jupyter and save it again'),
  metadata: z.object({ kernelspec: z.object({ language: z.string().optional() }).optional() }).optional(),
  cells: z.array(z.object({ cell_type: z.string(), source: text })).max(2_000),
})

/** Cells of these magic words hold another language. */
const FOREIGN_CELL = /^\s*%%(bash|sh|script|system|cmd|html|javascript|js|latex|markdown|svg|perl|ruby|R|sql)\b/

type KeepMode = 'necessary' | 'everything' | 'nothing'
const KEEP_MODES: Readonly<Record<string, KeepMode>> = {
  '@crunch/keep:on': 'everything',
  '@crunch/keep:off': 'necessary',
  '@crunch/keep:none': 'nothing',
}

/**
 * Makes a program of a notebook as crunch-convert does: imports, functions and classes are kept, everything else at the
 * top of a cell is commented out unless `# @crunch/keep:on` stands before it. Needs no Python. Throws `BUILD_FAILED`
 * that names the cell and the line, both counted from 1.
 */
export function extractNotebook(content: string, place: string): ExtractedNotebook {
  const { cells } = readNotebook(content, place)
  const lines: string[] = []
  const origins: ({ cell: number; line: number } | null)[] = []
  const imports = new Map<string, ImportedPackage>()
  const installed: string[] = []
  const files = new Map<string, string>()
  const warnings: string[] = []
  const dropped: { readonly names: Set<string>; readonly kept: string[] } = { names: new Set(), kept: [] }
  for (const [index, { cell_type: type, source }] of cells.entries()) {
    const cell = index + 1
    const at = (line: number) => `${place}: cell ${cell} line ${line}`
    try {
      if (type === 'markdown') readFileCell(cellLines(source), files)
      if (type !== 'code') continue
      const code = readPythonCell(cellLines(source))
      const kept = keepNecessary(code, cell, { imports, warnings, dropped })
      for (const command of code.commands) {
        const ignored = (option: string) =>
          warnings.push(`cell ${cell} line ${command.line + 1}: pip's option "${option}" has no effect here`)
        const packages = installedPackages(command.text, ignored)
        for (const one of packages) checkRequirement(one, at(command.line + 1))
        installed.push(...packages)
      }
      const begin = kept.findIndex((line) => line !== '')
      const end = kept.findLastIndex((line) => line !== '') + 1
      if (begin < 0) continue
      if (lines.length > 0) {
        lines.push('', '')
        origins.push(null, null)
      }
      lines.push(...kept.slice(begin, end))
      for (let line = begin; line < end; line += 1) origins.push({ cell, line: line + 1 })
    } catch (error) {
      if (error instanceof RunFailure) throw error
      const line = error instanceof CellError ? error.line : 1
      throw new RunFailure('BUILD_FAILED', `${at(line)}: ${errorText(error)}`, { cause: error })
    }
  }
  warnings.push(...warnOfDropped(dropped))
  const end = lines.length > 0 ? '\n' : ''
  return { source: `${lines.join('\n')}${end}`, origins, imports: [...imports.values()], installed, files, warnings }
}

/** What must be installed for the notebook; `local` are modules that are there anyway. */
export function notebookRequirements(notebook: ExtractedNotebook, local: ReadonlySet<string>): readonly string[] {
  const imported = notebook.imports
    .filter(({ module }) => !isStandardModule(module) && !local.has(module))
    .map((one) => importRequirement({ ...one, name: one.name ?? packageOfModule(one.module) }))
  return joinRequirements(imported, notebook.installed)
}

function readNotebook(content: string, place: string): z.infer<typeof notebookSchema> {
  const refuse = (why: string, cause?: unknown) =>
    new RunFailure('BUILD_FAILED', `${place} is no notebook that can be run: ${why}`, { cause })
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch (error) {
    throw refuse(`it is no JSON (${errorText(error)})`, error)
  }
  const notebook = notebookSchema.safeParse(json)
  if (!notebook.success) throw refuse(z.prettifyError(notebook.error), notebook.error)
  const language = notebook.data.metadata?.kernelspec?.language ?? 'python'
  if (language.toLowerCase() !== 'python') throw refuse(`it is written in ${language}; models are written in Python`)
  return notebook.data
}

function cellLines(source: string | readonly string[]): readonly string[] {
  const whole = typeof source === 'string' ? source : source.map((line) => line.replace(/\n$/, '')).join('\n')
  const lines = whole.replaceAll('\r', '').split('\n')
  return FOREIGN_CELL.test(lines[0] ?? '') ? lines.map((line) => `#${line}`) : lines
}

interface Findings {
  readonly imports: Map<string, ImportedPackage>
  readonly warnings: string[]
  readonly dropped: { readonly names: Set<string>; readonly kept: string[] }
}

/** The lines of the cell with everything commented out that a program does not need. */
function keepNecessary(cell: PythonCell, number: number, findings: Findings): readonly string[] {
  const lines = [...cell.lines]
  let mode = 'necessary' as KeepMode
  const follow = (comments: readonly number[]) => {
    for (const line of comments) mode = KEEP_MODES[stripHashes(cell.lines[line] ?? '')] ?? mode
  }
  follow(cell.header)
  for (const statement of cell.statements) {
    const { first, last, leading } = statement
    const whole = cell.lines.slice(first, last + 1).join('\n')
    if (statement.isCompound) {
      if (statement.nestedImports > 0) {
        findings.warnings.push(
          `cell ${number} line ${first + 1}: ${statement.nestedImports} imports inside "${statement.keyword}" ` +
            'are no requirements; move them to the top of the cell',
        )
      }
      const isKept = mode === 'everything' || (mode === 'necessary' && ['def', 'class'].includes(statement.keyword))
      if (isKept) findings.dropped.kept.push(`${number}:${first}:${whole}`)
      else commentOut(lines, first, last)
      noteNames(whole, mode === 'everything', findings)
      continue
    }
    // Comments before a compound statement belong to it and do not speak to us.
    follow(leading)
    if (mode === 'nothing') {
      commentOut(lines, leading[0] ?? first, last)
    } else {
      noteImports(statement, findings.imports)
      if (mode === 'necessary') commentOutParts(lines, statement)
      noteNames(whole, mode === 'everything', findings)
    }
  }
  follow(cell.footer)
  return lines
}

function commentOut(lines: string[], first: number, last: number): void {
  for (let line = first; line <= last; line += 1) lines[line] = `#${lines[line] ?? ''}`
}

/** From the right to the left, so that columns stay right. */
function commentOutParts(lines: string[], { parts, last }: CellStatement): void {
  for (const [index, part] of [...parts.entries()].reverse()) {
    if (isImport(part.text) || isForeignImport(part.text)) continue
    const end = parts[index + 1]?.line ?? last
    for (let line = part.line + 1; line <= end; line += 1) lines[line] = `#${lines[line] ?? ''}`
    const begin = lines[part.line] ?? ''
    lines[part.line] = `${begin.slice(0, part.column)}#${begin.slice(part.column)}`
  }
}

function isImport(statement: string): boolean {
  return /^(import|from)\b/.test(statement)
}

/** Imports of R packages are assignments. */
function isForeignImport(statement: string): boolean {
  return /^\w+\s*(:[^=]+)?=\s*importr\s*\(/.test(statement)
}

function noteImports({ parts, comment }: CellStatement, imports: Map<string, ImportedPackage>): void {
  for (const [index, { text: statement, line }] of parts.entries()) {
    if (!isImport(statement)) continue
    try {
      for (const found of importedPackages(statement, index === parts.length - 1 ? comment : null)) {
        const known = imports.get(found.module)
        imports.set(found.module, known === undefined ? found : mergeImports(known, found))
      }
    } catch (error) {
      throw new CellError(line + 1, errorText(error))
    }
  }
}

const ASSIGNED = /^\s*((?:[A-Za-z_]\w*)(?:\s*,\s*[A-Za-z_]\w*)*)\s*(?::[^=]+)?[-+*/]?=(?!=)/gm

function noteNames(statement: string, isKept: boolean, { dropped }: Findings): void {
  if (/^(@|def|class|async def)/.test(statement)) return
  for (const match of statement.matchAll(ASSIGNED)) {
    for (const name of (match[1] ?? '').split(/\s*,\s*/)) {
      if (isKept) dropped.names.delete(name)
      else dropped.names.add(name)
    }
  }
}

/** A constant that is gone is the surprise of this format; words are compared, so some warnings are wrong. */
function warnOfDropped({ names, kept }: Findings['dropped']): readonly string[] {
  return kept.flatMap((entry) => {
    const [cell = '', first = '', ...rest] = entry.split(':')
    const words = new Set(rest.join(':').match(/(?<![\w.])[A-Za-z_]\w*(?!\s*=[^=])/g))
    const own = new Set([...rest.join(':').matchAll(ASSIGNED)].flatMap((match) => (match[1] ?? '').split(/\s*,\s*/)))
    return [...names]
      .filter((name) => words.has(name) && !own.has(name))
      .map(
        (name) =>
          `cell ${cell}: the statement at line ${Number(first) + 1} may use "${name}", which is commented out; ` +
          'put "# @crunch/keep:on" before what sets it',
      )
  })
}

function stripHashes(line: string): string {
  return line.replace(/^[\s#]+|[\s#]+$/g, '')
}

function readFileCell(lines: readonly string[], files: Map<string, string>): void {
  const end = lines.indexOf('---', 1)
  if (lines[0] !== '---' || end < 0) return
  const head = lines.slice(1, end)
  if (head.some((line) => line.trim() === '')) return
  const settings: unknown = parse(head.join('\n'))
  const file = typeof settings === 'object' && settings !== null && 'file' in settings ? settings.file : null
  if (typeof file !== 'string' || file.trim() === '') throw new Error('the head of a file cell names no "file"')
  const path = posix.normalize(file.replaceAll('\\', '/')).replace(/\/$/, '')
  if (path.startsWith('/') || path === '.' || path.split('/').includes('..')) {
    throw new Error(`file "${file}" is outside of the submission; name one inside`)
  }
  const taken = [...files.keys(), 'main.py', 'requirements.txt'].find(
    (name) => name.toLowerCase() === path.toLowerCase(),
  )
  if (taken !== undefined) throw new Error(`file "${file}" conflicts with ${taken}; choose another name`)
  files.set(
    path,
    lines
      .slice(end + 1)
      .join('\n')
      .trim(),
  )
}
