import { readdirSync } from 'node:fs'
import { whenMissing } from '@crunch/local-processes'
import { CliError } from '../cli-error.ts'
import { modelLogsDirectory, type Workspace } from '../workspace.ts'
import type { NamedModel } from './find-model.ts'
import { readEntries } from './models-state.ts'
import type { OpenedModels } from './opened-models.ts'

export interface ListedModel extends NamedModel {
  readonly submissionId: string
  /** Null if the file does not name a cruncher. */
  readonly cruncherName: string | null
  readonly desiredState: 'RUNNING' | 'STOPPED'
}

/** The models of this competition in the models file. Throws the errors of `readEntries`. */
export function listedModels({ workspace, settings }: OpenedModels): readonly ListedModel[] {
  return readEntries(workspace, settings.crunchId).map(({ id, submissionId, infos, desiredState }) => ({
    id,
    name: infos.model_name ?? submissionId,
    submissionId,
    cruncherName: infos.cruncher_name,
    desiredState,
  }))
}

/** Models with a log in this workspace, even if no longer listed, sorted by id. */
export function loggedModels(workspace: Workspace): readonly NamedModel[] {
  try {
    const folders = readdirSync(modelLogsDirectory(workspace), { withFileTypes: true })
    return folders.filter((folder) => folder.isDirectory()).map(({ name }) => ({ id: name, name }))
  } catch (error) {
    return whenMissing([])(error)
  }
}

/** @throws CliError if another orchestrator runs the models, because it does not use the files of this workspace. */
export function requireModelsHere({ settings, workspace }: OpenedModels): void {
  if (settings.runsModelsHere) return
  throw new CliError({
    place: 'MODEL_RUNNER_NODE_HOST, MODEL_ORCHESTRATOR',
    cause: `another orchestrator runs the models; it neither reads ${workspace.modelsFile} nor writes its logs here`,
    fix: 'use the files of that orchestrator, or remove these settings to run models here',
  })
}
