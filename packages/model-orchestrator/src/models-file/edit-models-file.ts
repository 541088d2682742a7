import { randomUUID } from 'node:crypto'
import { mkdir, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DirectoryBusyError, withDirectoryLock } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { type Document, isMap, isScalar, isSeq, parseDocument, stringify, type YAMLMap, type YAMLSeq } from 'yaml'
import { OrchestratorError } from '../errors.ts'
import { parseModelsFile } from './models-file.ts'
import { readModelsText } from './watch-models-file.ts'

/** Edits find entries by id, so the competition does not matter. */
const ANY_CRUNCH = ''
/** How long to wait for another edit; one takes milliseconds. */
const WAIT_LIMIT_MS = 15_000

/** The models file during an edit, with the entries of every competition. */
export interface ModelsFileEdit {
  /** The ids of all entries, in the file's order. */
  ids(): string[]
  /** The keys of an entry as written in the file; throws `MODEL_UNKNOWN`. */
  entry(id: string): YAMLMap
  set(id: string, key: string, value: string): void
  add(entry: Readonly<Record<string, string>>): void
  remove(id: string): void
}

/**
 * Changes the models file. Comments and order stay. The file is replaced atomically, and edits of several programs
 * wait for each other. Nothing is written if `change` throws or the result would be invalid.
 *
 * Throws `MODELS_FILE_INVALID` (the file must be valid before), `MODELS_FILE_LOCKED`, or what `change` throws.
 */
export async function editModelsFile<Result>(
  path: string,
  change: (edit: ModelsFileEdit) => Result | Promise<Result>,
): Promise<Result> {
  // A rename onto a symbolic link would replace the link.
  const target = await realpath(path).catch(() => path)
  return inTurn(target, async () => {
    const text = await readModelsText(target)
    parseModelsFile({ path, crunchId: ANY_CRUNCH, text })
    const document = parseDocument(text)
    const result = await change(createEdit(path, document))
    const edited = document.toString({ lineWidth: 0, indentSeq: isSequenceIndented(text) })
    if (edited === text) return result
    parseModelsFile({ path, crunchId: ANY_CRUNCH, text: edited })
    await replaceFile(target, edited)
    return result
  })
}

/** Serialises the edits of all programs, with a lock in a hidden folder beside the file. */
async function inTurn<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const folder = join(dirname(path), `.${basename(path)}.lock`)
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, '.gitignore'), '*\n')
  } catch (error) {
    throw unwritable(path, error)
  }
  try {
    return await withDirectoryLock(folder, WAIT_LIMIT_MS, work)
  } catch (error) {
    if (!(error instanceof DirectoryBusyError)) throw error
    throw new OrchestratorError('MODELS_FILE_LOCKED', `${path} is being edited: ${error.message}`, { cause: error })
  }
}

function createEdit(path: string, document: Document): ModelsFileEdit {
  const models = () => modelsOf(path, document)
  const ids = () => models().items.flatMap((item) => (isMap(item) ? [String(item.get('id'))] : []))
  const indexOf = (id: string) => {
    const index = models().items.findIndex((item) => isMap(item) && String(item.get('id')) === id)
    if (index >= 0) return index
    const has = ids().length === 0 ? 'there are no models yet' : `there are ${ids().slice(0, 50).join(', ')}`
    throw new OrchestratorError('MODEL_UNKNOWN', `${path}: no model has the id "${id}"; ${has}`)
  }
  const entryOf = (id: string): YAMLMap => {
    const item = models().items[indexOf(id)]
    if (isMap(item)) return item
    throw new OrchestratorError('MODELS_FILE_INVALID', `${path}: the entry "${id}" is not a map of keys`)
  }
  return {
    ids,
    entry: entryOf,
    set(id, key, value) {
      entryOf(id).set(key, value)
      quoteForOlderReaders(entryOf(id), key)
    },
    add(entry) {
      const list = models()
      // "models: []" becomes a list of lines with its first entry; a file in JSON stays JSON.
      if (list.items.length === 0 && !isJson(document)) list.flow = false
      const node = document.createNode(entry) as YAMLMap
      for (const key of Object.keys(entry)) quoteForOlderReaders(node, key)
      list.add(node)
    },
    remove(id) {
      const list = models()
      list.delete(indexOf(id))
      if (list.items.length === 0) list.flow = true
    },
  }
}

/** Quotes every id, and texts such as "no" and "2025_01": in YAML 1.1, which Python reads, these are a boolean and a number. */
function quoteForOlderReaders(entry: YAMLMap, key: string): void {
  const node = entry.get(key, true)
  if (!isScalar(node) || typeof node.value !== 'string') return
  if (key === 'id' || /^["']/.test(stringify(node.value, { version: '1.1' }))) node.type = 'QUOTE_DOUBLE'
}

function modelsOf(path: string, document: Document): YAMLSeq {
  const models = document.get('models')
  if (isSeq(models)) return models
  // "models:" without a value is an empty list.
  if (models === null || models === undefined) document.set('models', document.createNode([]))
  const created = document.get('models')
  if (isSeq(created)) return created
  throw new OrchestratorError('MODELS_FILE_INVALID', `${path}: "models" is not a list; write "models: []"`)
}

function isJson(document: Document): boolean {
  return isMap(document.contents) && document.contents.flow === true
}

/** Whether "- " is indented below "models:". Both styles are common; an edit keeps the file's style. */
function isSequenceIndented(text: string): boolean {
  return !/^models:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*- /m.test(text)
}

async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.${process.pid}.${randomUUID()}.new`
  try {
    const { mode } = await stat(path)
    const handle = await open(fresh, 'wx', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw unwritable(path, error)
  }
}

function unwritable(path: string, error: unknown): OrchestratorError {
  const problem = `${path}: cannot be written (${errorText(error)}); make the file and its folder writable`
  return new OrchestratorError('MODELS_FILE_INVALID', problem, { cause: error })
}
