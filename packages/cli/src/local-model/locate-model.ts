import { copyFileSync, mkdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { CliError } from '../cli-error.ts'

/** A submission as an orchestrator wants it: a folder in a folder of submissions. */
export interface LocatedModel {
  /** What the user named, as an absolute path. */
  readonly path: string
  readonly submissionsDirectory: string
  /** The folder's name there; also what the model is called. */
  readonly submissionId: string
}

/** What an orchestrator takes for the name of a submission. */
const submissionName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * Finds the submission that a path means: a folder is taken where it lies, a notebook is copied into a folder of its own
 * in `scratch`.
 * @throws CliError when it is neither.
 */
export function locateModel(path: string, cwd: string, scratch: string): LocatedModel {
  const full = resolve(cwd, path)
  const found = statSync(full, { throwIfNoEntry: false })
  if (found?.isDirectory()) return locateFolder(full)
  if (found?.isFile() && full.endsWith('.ipynb')) return unpackNotebook(full, scratch)
  throw new CliError({
    place: full,
    cause: found === undefined ? 'there is no such folder or notebook' : 'this is neither a folder nor a notebook',
    fix: 'name the folder that holds main.ts, main.js or main.py, or a file that ends with .ipynb',
  })
}

function locateFolder(path: string): LocatedModel {
  const submissionId = basename(path)
  if (submissionName.test(submissionId)) return { path, submissionsDirectory: dirname(path), submissionId }
  throw new CliError({
    place: path,
    cause: `"${submissionId}" is no name for a model: letters, digits, ".", "_" and "-", beginning with a letter or digit`,
    fix: 'rename the folder',
  })
}

function unpackNotebook(path: string, scratch: string): LocatedModel {
  const stem = basename(path, '.ipynb')
  const submissionId = stem.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'notebook'
  const submissionsDirectory = join(scratch, 'submissions')
  const folder = join(submissionsDirectory, submissionId.slice(0, 128))
  mkdirSync(folder, { recursive: true })
  copyFileSync(path, join(folder, basename(path)))
  return { path, submissionsDirectory, submissionId: submissionId.slice(0, 128) }
}
