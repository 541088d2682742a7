import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'
import { parseModelsFile } from '@crunch/model-orchestrator'
import { CliError, type CliProblem } from './cli-error.ts'
import { nearestName } from './engine.ts'
import type { Workspace } from './workspace.ts'

/** More folders than that are only counted. */
const maxNames = 20

/** A RUNNING entry, with the folder of its submission. */
export interface RunningModel {
  readonly id: string
  readonly name: string
  readonly cruncherId: string
  readonly cruncherName: string
  readonly directory: string
  /** Where it is named, for findings: file, line and id. */
  readonly place: string
}

/**
 * The RUNNING entries of `models.dev.yml`, and those of them without a submission folder.
 * Throws MODELS_FILE_INVALID with every finding, or the system's error if the file does not exist.
 */
export function readRunningModels(
  { modelsFile: path, submissionsDirectory }: Workspace,
  crunchId: string,
): { readonly running: readonly RunningModel[]; readonly problems: readonly CliProblem[] } {
  const { entries } = parseModelsFile({ path, text: readFileSync(path, 'utf8'), crunchId })
  const listed = entries
    .filter(({ desiredState }) => desiredState === 'RUNNING')
    .map(({ id, submissionId, infos, line }) => ({
      submissionId,
      model: {
        id,
        name: infos.model_name ?? submissionId,
        cruncherId: infos.cruncher_id ?? '',
        cruncherName: infos.cruncher_name ?? '',
        directory: join(submissionsDirectory, submissionId),
        place: `${path}:${line}, model ${id}`,
      },
    }))
  const problems = listed
    .filter(({ model }) => !statSync(model.directory, { throwIfNoEntry: false })?.isDirectory())
    .map(({ model: { place, directory }, submissionId }) => ({
      place,
      cause: `submission_id "${submissionId}" names no folder: ${directory} is not there`,
      fix: fixOf(submissionId, submissionsDirectory),
    }))
  return { running: listed.map(({ model }) => model), problems }
}

/** The RUNNING entries, each with its folder. Throws a {@link CliError} for the first one without a folder. */
export function requireRunningModels(workspace: Workspace, crunchId: string): readonly RunningModel[] {
  const { running, problems } = readRunningModels(workspace, crunchId)
  if (problems[0] !== undefined) throw new CliError(problems[0])
  return running
}

function fixOf(submissionId: string, submissionsDirectory: string): string {
  const names = folderNames(submissionsDirectory)
  if (names.length === 0) return 'put the submission there, or set desired_state: STOPPED'
  const nearest = nearestName(submissionId, names)
  const question = nearest === undefined ? '' : `did you mean "${nearest}"? `
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : ''
  return `${question}There ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, maxNames).join(', ')}${more}; correct submission_id, or set desired_state: STOPPED`
}

function folderNames(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : [])).sort()
  } catch (error) {
    return whenMissing<readonly string[]>([], ['ENOENT', 'ENOTDIR'])(error)
  }
}
