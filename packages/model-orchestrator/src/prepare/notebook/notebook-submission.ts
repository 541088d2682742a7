import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { RunFailure } from '../../run-failure.ts'
import type { Submission } from '../../submission/submission.ts'
import { checkCount, parseRequirements } from '../python/python-requirements.ts'
import { type ExtractedNotebook, extractNotebook, notebookRequirements } from './extract-notebook.ts'
import type { NotebookReading } from './read-notebook.ts'

/** Limits for the files beside a notebook, which are copied. */
const MAX_FILES = 1_000
const MAX_BYTES = 200 * 1024 * 1024

/** A notebook, extracted into a folder that a Python runner can host. */
export interface NotebookProgram {
  readonly directory: string
  readonly main: string
  readonly notebook: ExtractedNotebook
  readonly requirements: readonly string[]
}

export interface NotebookSettings extends Omit<NotebookReading, 'file' | 'scratchDirectory'> {
  /** The folder into which notebooks are extracted. */
  readonly directory: string
  readonly pythonPath: readonly string[]
  readonly baseClassName: string
}

/**
 * Extracts the submission's notebook into `{directory}/{hash of the content}`: `main.py`, `requirements.txt`, the files that its
 * cells write, and the files beside the notebook. The author's `requirements.txt` is used if there is one; otherwise imports and
 * `!pip install` commands determine the requirements. Throws `BUILD_FAILED`.
 */
export async function writeNotebookProgram(
  submission: Submission,
  settings: NotebookSettings,
): Promise<NotebookProgram> {
  const place = join(submission.directory, submission.main)
  const beside = await readFolder(submission.directory, submission.main)
  const notebook = await extractNotebook({ ...settings, file: place, scratchDirectory: settings.directory }, beside)
  const files = new Map(notebook.files)
  const own = files.get('requirements.txt')
  const ownPlace = beside.has('requirements.txt')
    ? join(submission.directory, 'requirements.txt')
    : `${place}: requirements.txt`
  const requirements =
    own === undefined ? notebookRequirements(notebook, await sharedModules(settings)) : parseRequirements(own, ownPlace)
  checkCount(requirements, place)
  files.set('main.py', Buffer.from(notebook.source))
  files.set('requirements.txt', Buffer.from(requirements.map((line) => `${line}\n`).join('')))
  const directory = await writeOnce(settings.directory, files)
  return { directory, main: join(directory, 'main.py'), notebook, requirements }
}

async function readFolder(folder: string, notebook: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  let bytes = 0
  const walk = async (relative: string): Promise<void> => {
    for (const item of await readdir(join(folder, relative), { withFileTypes: true })) {
      const path = relative === '' ? item.name : `${relative}/${item.name}`
      // Files of tools, not part of the model.
      if (item.name.startsWith('.') || item.name === '__pycache__' || path === notebook) continue
      if (item.isDirectory()) {
        await walk(path)
        continue
      }
      if (!item.isFile())
        throw new RunFailure('BUILD_FAILED', `${join(folder, path)} is not a file; copy what it links to`)
      const content = await readFile(join(folder, path))
      bytes += content.length
      files.set(path, content)
      if (files.size <= MAX_FILES && bytes <= MAX_BYTES) continue
      const why = `has more than ${MAX_FILES} files or ${MAX_BYTES} bytes beside its notebook; remove what the model does not need`
      throw new RunFailure('BUILD_FAILED', `${folder} ${why}`)
    }
  }
  await walk('')
  return files
}

/** Modules of the competition need no package. */
async function sharedModules(
  settings: Pick<NotebookSettings, 'pythonPath' | 'baseClassName'>,
): Promise<ReadonlySet<string>> {
  const names = await Promise.all(settings.pythonPath.map((folder) => readdir(folder)))
  const [basePackage = ''] = settings.baseClassName.split('.')
  return new Set([basePackage, ...names.flat().map((name) => parse(name).name)])
}

async function writeOnce(parent: string, files: ReadonlyMap<string, Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for (const path of [...files.keys()].sort()) {
    const content = files.get(path) ?? Buffer.alloc(0)
    hash.update(`${path}\0${content.length}\0`).update(content)
  }
  const target = join(parent, hash.digest('hex').slice(0, 24))
  const isThere = await access(target).then(
    () => true,
    () => false,
  )
  if (isThere) return target
  const draft = `${target}.${randomUUID()}`
  for (const [path, content] of files) {
    await mkdir(dirname(join(draft, path)), { recursive: true })
    await writeFile(join(draft, path), content)
  }
  try {
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another start extracted the same notebook first.
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error
  }
  return target
}
