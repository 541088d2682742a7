import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelsFile } from '@crunch/model-orchestrator'
import type { CliProblem } from './cli-error.ts'
import type { Workspace } from './workspace.ts'

/** A RUNNING entry, with the folder of its submission. */
export interface RunningModel {
  readonly id: string
  readonly name: string
  readonly cruncherId: string
  readonly cruncherName: string
  readonly directory: string
}

/**
 * The RUNNING entries of `models.dev.yml`, and those of them without a submission folder.
 * Throws MODELS_FILE_INVALID with every finding, or the system's error if the file does not exist.
 */
export function readRunningModels(
  workspace: Workspace,
  crunchId: string,
): { readonly running: readonly RunningModel[]; readonly problems: readonly CliProblem[] } {
  const path = workspace.modelsFile
  const { entries } = parseModelsFile({ path, text: readFileSync(path, 'utf8'), crunchId })
  const running = entries
    .filter(({ desiredState }) => desiredState === 'RUNNING')
    .map(({ id, submissionId, infos }) => ({
      id,
      name: infos.model_name ?? submissionId,
      cruncherId: infos.cruncher_id ?? '',
      cruncherName: infos.cruncher_name ?? '',
      directory: join(workspace.submissionsDirectory, submissionId),
    }))
  const problems = running
    .filter(({ directory }) => !statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    .map(({ id, directory }) => ({
      place: modelPlace(workspace, id),
      cause: `its submission ${directory} is not a folder`,
      fix: 'put the submission there, or set desired_state: STOPPED',
    }))
  return { running, problems }
}

/** The place of an entry in a finding. */
export function modelPlace({ modelsFile }: Workspace, id: string): string {
  return `${modelsFile}, model ${id}`
}
