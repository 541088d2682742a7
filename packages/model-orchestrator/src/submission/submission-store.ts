import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { isPrintable, printable } from '@crunch/local-processes'
import { errorText } from '@crunch/local-processes/errors'
import { OrchestratorError } from '../errors.ts'
import { editModelsFile, type ModelsFileEdit } from '../models-file/edit-models-file.ts'
import { noteIds, takeNextId } from '../models-file/model-ids.ts'
import { RunFailure } from '../run-failure.ts'
import { type CopyPlan, copyPlanned, planCopy, SUBMISSION_LIMITS } from './copy-submission.ts'
import { inspectSubmission } from './submission.ts'

/** Old submissions stay on disk until the operator deletes them. */
const MAX_SUBMISSIONS = 5_000

type DesiredState = 'RUNNING' | 'STOPPED'

/** A model as stored in the models file. */
export interface StoredModel {
  readonly id: string
  readonly submissionId: string
  readonly modelName: string
  readonly cruncherId: string
  readonly cruncherName: string
  readonly desiredState: DesiredState
}

/** What `addSubmission` needs; paths may be relative to the working directory. */
export interface NewSubmission {
  /** A folder, or one notebook (`.ipynb`). */
  readonly source: string
  readonly submissionsDirectory: string
  readonly modelsFile: string
  readonly crunchId: string
  /** The logs of all models, removed ones included: their ids are not reused. */
  readonly logsDirectory?: string | undefined
  /** By default `submissionId`, if given, else the name of the folder or notebook. */
  readonly modelName?: string
  /** By default `local-` and the model's id. */
  readonly cruncherId?: string
  /** By default `local-dev`. */
  readonly cruncherName?: string
  /** By default RUNNING. */
  readonly desiredState?: DesiredState
  /** The preferred id of the submission, instead of one made from the name of the folder or notebook. */
  readonly submissionId?: string
  /** Replaces the code of the model of exactly that name; the old code serves until the new code is ready. */
  readonly replace?: boolean
}

/** Changes to a model; absent values stay as they are. */
export interface ModelChange {
  readonly desiredState?: DesiredState
  readonly modelName?: string
  readonly cruncherName?: string
  /** New code: a folder or a notebook that becomes a new submission. */
  readonly source?: string
  /** The preferred id of that submission. */
  readonly submissionId?: string
}

/**
 * Copies a folder or a notebook into the submissions folder and adds a model for it to the models file. A folder that is in
 * the submissions folder already is not copied. `node_modules`, `.git`, `__pycache__` and `.venv` are left out.
 *
 * Throws `SUBMISSION_REFUSED` before copying if there is no model, it is too large, or links leave the folder; `MODEL_UNKNOWN` if
 * `replace` finds no model of that name; `MODELS_FILE_INVALID`, `MODELS_FILE_LOCKED`.
 */
export async function addSubmission(input: NewSubmission): Promise<StoredModel> {
  const { modelsFile, crunchId } = input
  const { submissionsDirectory, logsDirectory } = input
  const traces = { modelsFile: resolve(modelsFile), submissionsDirectory: resolve(submissionsDirectory), logsDirectory }
  const store = await openStore(input.submissionsDirectory)
  const modelName = toModelName(input.modelName ?? input.submissionId ?? sourceName(input.source), input.source)
  const staged = await stage(input.source, store, input.submissionId)
  try {
    return await editModelsFile(modelsFile, async (edit) => {
      const replaced = input.replace === true ? findByName(edit, modelsFile, modelName) : null
      const submissionId = await settle(staged, store, usedSubmissions(edit))
      if (replaced !== null) {
        edit.set(replaced, 'submission_id', submissionId)
        setPresent(edit, replaced, {
          desired_state: input.desiredState ?? 'RUNNING',
          cruncher_id: input.cruncherId,
          cruncher_name: input.cruncherName,
        })
        return storedModel(edit, replaced)
      }
      const id = takeNextId(traces, edit.ids())
      edit.add({
        id,
        submission_id: submissionId,
        crunch_id: crunchId,
        desired_state: input.desiredState ?? 'RUNNING',
        model_name: modelName,
        cruncher_name: input.cruncherName ?? 'local-dev',
        cruncher_id: input.cruncherId ?? `local-${id.padStart(4, '0')}`,
      })
      return storedModel(edit, id)
    })
  } catch (error) {
    await discard(staged)
    throw error
  }
}

/**
 * Copies a folder or a notebook into `directory` as `addSubmission` does, without adding a model, and returns its id there.
 * Throws `SUBMISSION_REFUSED`.
 */
export async function copySubmission(source: string, directory: string): Promise<string> {
  const store = await openStore(directory)
  const staged = await stage(source, store)
  try {
    return await settle(staged, store, new Set())
  } catch (error) {
    await discard(staged)
    throw error
  }
}

/** Changes one model of the file. Throws `MODEL_UNKNOWN`, or what `addSubmission` throws when there is new code. */
export async function changeModel(
  place: { readonly modelsFile: string; readonly submissionsDirectory: string },
  id: string,
  change: ModelChange,
): Promise<StoredModel> {
  // Fails early, before 100 MB are copied; the edit below checks again.
  await editModelsFile(place.modelsFile, (edit) => void edit.entry(id))
  const store = await openStore(place.submissionsDirectory)
  const staged = change.source === undefined ? null : await stage(change.source, store, change.submissionId)
  try {
    return await editModelsFile(place.modelsFile, async (edit) => {
      edit.entry(id)
      setPresent(edit, id, {
        submission_id: staged === null ? undefined : await settle(staged, store, usedSubmissions(edit)),
        desired_state: change.desiredState,
        model_name: change.modelName,
        cruncher_name: change.cruncherName,
      })
      return storedModel(edit, id)
    })
  } catch (error) {
    await discard(staged)
    throw error
  }
}

/** Sets whether a model runs. Throws `MODEL_UNKNOWN`, `MODELS_FILE_INVALID` or `MODELS_FILE_LOCKED`. */
export async function setDesiredState(modelsFile: string, id: string, state: DesiredState): Promise<void> {
  await editModelsFile(modelsFile, (edit) => edit.set(id, 'desired_state', state))
}

/**
 * Removes a model from the file; its submission stays on disk. Throws `MODEL_UNKNOWN`, `MODELS_FILE_INVALID` or
 * `MODELS_FILE_LOCKED`.
 */
export async function removeModel(modelsFile: string, id: string): Promise<void> {
  await editModelsFile(modelsFile, (edit) => {
    edit.entry(id)
    noteIds({ modelsFile: resolve(modelsFile) }, edit.ids())
    edit.remove(id)
  })
}

/** A submission without an id, stored beside the others. */
interface Staged {
  /** The preferred id. */
  readonly wish: string
  /** The folder of the copy; null if the submission is in its place already. */
  copy: string | null
}

async function discard(staged: Staged | null): Promise<void> {
  if (staged !== null && staged.copy !== null) await rm(staged.copy, { recursive: true, force: true })
}

async function openStore(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true })
    return await realpath(directory)
  } catch (error) {
    const problem = `submissions folder ${resolve(directory)} cannot be used (${errorText(error)})`
    throw new OrchestratorError('SETTINGS_INVALID', problem, { cause: error })
  }
}

async function stage(givenSource: string, store: string, wish?: string): Promise<Staged> {
  const source = await realpath(resolve(givenSource)).catch((error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const problem = isMissing
      ? 'there is no such folder or notebook; give the folder that contains main.py, main.ts or main.js, or an .ipynb file'
      : `cannot be opened (${errorText(error)})`
    throw refused(resolve(givenSource), problem, error)
  })
  const isFolder = (await stat(source)).isDirectory()
  const name = wish ?? sourceName(givenSource)
  if (!isFolder) return stageNotebook(source, store, toId(name))
  if (relative(source, store) === '' || !relative(source, store).startsWith('..')) {
    throw refused(source, 'it contains the submissions themselves; give the folder of one model')
  }
  await inspected(source)
  if (dirname(source) === store && basename(source) === toId(basename(source)) && wish === undefined) {
    return { wish: basename(source), copy: null }
  }
  const plan = await planCopy(source)
  return stageInto(store, toId(name), (folder) => copyFolder(plan, folder))
}

async function copyFolder(plan: CopyPlan, folder: string): Promise<void> {
  await copyPlanned(plan, folder)
  await inspected(folder) // The model's main file may have been left out of the copy.
}

async function stageNotebook(source: string, store: string, name: string): Promise<Staged> {
  if (extname(source).toLowerCase() !== '.ipynb') {
    throw refused(source, 'a submission is a folder, or one notebook (.ipynb); give the folder that contains this file')
  }
  const { size } = await stat(source)
  if (size > SUBMISSION_LIMITS.bytes) throw refused(source, `it is larger than ${SUBMISSION_LIMITS.bytes} bytes`)
  await requireNotebook(source)
  return stageInto(store, name, async (folder) => {
    await copyFile(source, join(folder, basename(source)))
    await inspected(folder)
  })
}

/** Python reads the notebook when the model is prepared; this check only finds files that are something else. */
async function requireNotebook(source: string): Promise<void> {
  // Without zero bytes, the ASCII part of UTF-16 is ASCII.
  const text = (await readFile(source, 'latin1')).replaceAll('\0', '')
  if (/^[^"[\]]{0,10}\{/.test(text) && /"(cells|worksheets)"/.test(text)) return
  throw refused(source, 'it is not a notebook: it has no "cells"; save it again from Jupyter')
}

/** Submission ids begin with a letter or digit, so this folder is never mistaken for one. */
async function stageInto(store: string, wish: string, fill: (folder: string) => Promise<void>): Promise<Staged> {
  const folder = await mkdtemp(join(store, '.incoming-'))
  const staged = { wish, copy: folder }
  try {
    await chmod(folder, 0o755) // The staging folder is private; a model may run as another user.
    await fill(folder)
  } catch (error) {
    await discard(staged)
    throw error
  }
  return staged
}

async function inspected(folder: string): Promise<void> {
  try {
    await inspectSubmission(folder)
  } catch (error) {
    if (error instanceof RunFailure) throw new OrchestratorError('SUBMISSION_REFUSED', error.message, { cause: error })
    throw error
  }
}

/** Moves a staged submission to its id: the preferred one, with a number if it is taken. */
async function settle(staged: Staged, store: string, used: ReadonlySet<string>): Promise<string> {
  if (staged.copy === null) return staged.wish
  const taken = new Set([...used, ...(await readdir(store))])
  if (taken.size > MAX_SUBMISSIONS) {
    throw refused(store, `it has more than ${MAX_SUBMISSIONS} submissions; delete those that no model uses`)
  }
  let id = staged.wish
  for (let number = 2; taken.has(id); number += 1) id = `${staged.wish}-${number}`
  const target = join(store, id)
  // Creating the folder reserves the id; the rename replaces the empty folder.
  await mkdir(target)
  try {
    await rename(staged.copy, target)
  } catch (error) {
    await rmdir(target)
    throw error
  }
  staged.copy = target
  return id
}

function usedSubmissions(edit: ModelsFileEdit): Set<string> {
  return new Set(edit.ids().map((id) => String(edit.entry(id).get('submission_id'))))
}

/** The default name of a model: the name of its folder or notebook. */
export function sourceName(source: string): string {
  return basename(resolve(source)).replace(/\.ipynb$/i, '')
}

/** Treats composed and decomposed letters as equal: macOS decomposes the names of folders. */
export function toModelName(name: string, source: string): string {
  const text = name.normalize('NFC').trim()
  if (text !== '' && isPrintable(text)) return text
  throw refused(source, `"${printable(name)}" cannot be the name of a model: it is empty or has invisible characters`)
}

/** Ids contain only characters that are safe in paths. */
function toId(name: string): string {
  const id = name
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/[^A-Za-z0-9]+$/, '')
    .slice(0, 100)
  return id === '' ? 'submission' : id
}

/** The only model of this name. */
function findByName(edit: ModelsFileEdit, modelsFile: string, name: string): string {
  const found = edit.ids().filter((id) => storedModel(edit, id).modelName.normalize('NFC') === name)
  const [id] = found
  if (id !== undefined && found.length === 1) return id
  const problem =
    id === undefined
      ? `no model has the name "${name}" to be replaced; add it without replacing, or give the name of one that exists`
      : `the models ${found.join(', ')} all have the name "${name}"; give them different names`
  throw new OrchestratorError('MODEL_UNKNOWN', `${modelsFile}: ${problem}`)
}

function setPresent(edit: ModelsFileEdit, id: string, values: Readonly<Record<string, string | undefined>>): void {
  for (const [key, value] of Object.entries(values)) if (value !== undefined) edit.set(id, key, value)
}

function storedModel(edit: ModelsFileEdit, id: string): StoredModel {
  const entry = edit.entry(id)
  const text = (key: string) => {
    const value: unknown = entry.get(key)
    return value === undefined || value === null ? null : String(value)
  }
  const submissionId = text('submission_id') ?? ''
  const cruncherId = text('cruncher_id') ?? ''
  return {
    id,
    submissionId,
    modelName: text('model_name') ?? text('name') ?? submissionId,
    cruncherId,
    cruncherName: text('cruncher_name') ?? cruncherId,
    desiredState: text('desired_state') === 'STOPPED' ? 'STOPPED' : 'RUNNING',
  }
}

function refused(place: string, problem: string, cause?: unknown): OrchestratorError {
  return new OrchestratorError('SUBMISSION_REFUSED', `${place}: ${problem}`, { cause })
}
