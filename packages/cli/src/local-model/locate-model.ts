import { statSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { copySubmission } from '@crunch/model-orchestrator'
import { CliError } from '../cli-error.ts'

/** A submission in the layout of an orchestrator: a folder in a folder of submissions. */
export interface LocatedModel {
  readonly submissionsDirectory: string
  /** The folder's name. */
  readonly submissionId: string
  /** Replaces paths of the copy in a text by those that the user gave. */
  inOwnPaths(text: string): string
}

/**
 * The absolute path of a model.
 * @throws CliError if it is neither a folder nor a notebook.
 */
export function findModelSource(path: string, cwd: string): string {
  const full = resolve(cwd, path)
  const found = statSync(full, { throwIfNoEntry: false })
  if (found?.isDirectory() || (found?.isFile() && /\.ipynb$/i.test(full))) return full
  throw new CliError({
    place: full,
    cause: found === undefined ? 'there is no such folder or notebook' : 'this is neither a folder nor a notebook',
    fix: 'name a folder with main.ts, main.js or main.py, or an .ipynb file',
  })
}

/** Creates a folder for copies of models in the workspace's state. The caller removes it with `removeScratch`. */
export async function makeScratch(stateDirectory: string): Promise<string> {
  await mkdir(stateDirectory, { recursive: true })
  return realpath(await mkdtemp(join(stateDirectory, 'hosted-')))
}

/** Removes a folder that `makeScratch` made. */
export function removeScratch(scratch: string): Promise<void> {
  return rm(scratch, { recursive: true, force: true, maxRetries: 5 })
}

/**
 * Copies a model into `scratch` as `crunch models add` does. The copy is in the workspace, so it can import the packages of the
 * competition; files that a node would not copy are left out.
 * @throws OrchestratorError SUBMISSION_REFUSED if a node would refuse the model.
 */
export async function copyModel(source: string, scratch: string): Promise<LocatedModel> {
  const submissionsDirectory = join(scratch, 'submissions')
  const submissionId = await copySubmission(source, submissionsDirectory)
  const copy = join(submissionsDirectory, submissionId)
  return {
    submissionsDirectory,
    submissionId,
    inOwnPaths: (text) => text.replaceAll(join(copy, basename(source)), source).replaceAll(copy, source),
  }
}
