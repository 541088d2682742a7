import { posix } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { errorText } from '../../errors.ts'
import { RunFailure } from '../../run-failure.ts'
import { readTextFile } from '../../submission/read-text-file.ts'
import { checkRequirement } from '../python/python-requirements.ts'
import {
  type ImportedPackage,
  importedPackage,
  importRequirement,
  installedPackages,
  joinRequirements,
  mergeImports,
  packageOfModule,
} from './import-requirement.ts'
import { type NotebookCode, type NotebookReading, readCodeCells } from './read-code-cells.ts'

/** A program made of a notebook. */
export interface ExtractedNotebook {
  readonly source: string
  readonly imports: readonly (ImportedPackage & { readonly isStandard: boolean })[]
  /** The packages that the notebook's commands install. */
  readonly installed: readonly string[]
  /** Files that text cells hold: `---`, `file: name`, `---`, content. */
  readonly files: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
}

const text = z.union([z.string(), z.array(z.string())])
const notebookSchema = z.object({
  nbformat: z.literal(4, 'only notebooks of format 4 are supported; open it in Jupyter and save it again'),
  metadata: z.object({ kernelspec: z.object({ language: z.string().optional() }).optional() }).optional(),
  cells: z.array(z.object({ cell_type: z.string(), source: text })).max(2_000),
})

/**
 * Converts a notebook into a program, as crunch-convert does. Throws `BUILD_FAILED` that names the cell and the line,
 * both counted from 1.
 */
export async function extractNotebook(reading: NotebookReading): Promise<ExtractedNotebook> {
  const { file } = reading
  const { cells } = readNotebook((await readTextFile(file)) ?? '', file)
  const files = new Map<string, string>()
  for (const [index, { cell_type: type, source }] of cells.entries()) {
    if (type !== 'markdown') continue
    inCell(file, index + 1, 1, () => readFileCell(cellLines(source), files))
  }
  const code = await readCodeCells(reading)
  const { installed, warnings } = installedBy(code, file)
  return {
    source: code.lines.map((line) => `${line}\n`).join(''),
    imports: importsOf(code, file),
    installed,
    files,
    warnings: [...code.warnings, ...warnings],
  }
}

/** What must be installed for the notebook; `local` are modules that are there anyway. */
export function notebookRequirements(notebook: ExtractedNotebook, local: ReadonlySet<string>): readonly string[] {
  const imported = notebook.imports
    .filter(({ module, isStandard }) => !isStandard && !local.has(module))
    .map((one) => importRequirement({ ...one, name: one.name ?? packageOfModule(one.module) }))
  return joinRequirements(imported, notebook.installed)
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

function installedBy({ commands }: NotebookCode, file: string) {
  const warnings: string[] = []
  const installed = commands.flatMap(({ cell, line, text }) => {
    const packages = installedPackages(text, (option) =>
      warnings.push(`cell ${cell} line ${line}: pip's option "${option}" has no effect here`),
    )
    for (const one of packages) checkRequirement(one, `${file}: cell ${cell} line ${line}`)
    return packages
  })
  return { installed, warnings }
}

/** An error of `work` gets its place. */
function inCell(file: string, cell: number, line: number, work: () => void): void {
  try {
    work()
  } catch (error) {
    throw new RunFailure('BUILD_FAILED', `${file}: cell ${cell} line ${line}: ${errorText(error)}`, { cause: error })
  }
}

function readNotebook(content: string, place: string): z.infer<typeof notebookSchema> {
  const refuse = (why: string, cause?: unknown) =>
    new RunFailure('BUILD_FAILED', `${place} is not a notebook that can be run: ${why}`, { cause })
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch (error) {
    throw refuse(`it is not JSON (${errorText(error)})`, error)
  }
  const notebook = notebookSchema.safeParse(json)
  if (!notebook.success) throw refuse(z.prettifyError(notebook.error), notebook.error)
  const language = notebook.data.metadata?.kernelspec?.language ?? 'python'
  if (language.toLowerCase() !== 'python') throw refuse(`it is written in ${language}; models are written in Python`)
  return notebook.data
}

function cellLines(source: string | readonly string[]): readonly string[] {
  const whole = typeof source === 'string' ? source : source.map((line) => line.replace(/\n$/, '')).join('\n')
  return whole.replaceAll('\r', '').split('\n')
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
