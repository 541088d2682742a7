import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { systemErrorCode } from '@crunch/local-processes'
import { isExpectedError } from '@crunch/local-processes/errors'
import { inspectSubmission } from '@crunch/model-orchestrator'
import { loadModelClass } from '@crunch/model-runner'
import { CliError, failWith } from '../cli-error.ts'
import { requireFile } from '../deploy/deployment-plan.ts'
import { type LocalModel, loadNodeContract, nameRefusal, readNodeSettings, simulateRecordings } from '../engine.ts'
import { copyModel, type LocatedModel, makeScratch, removeScratch } from '../local-model/locate-model.ts'
import { type RunningModel, requireRunningModels } from '../models-file.ts'
import { readNodeEnvironment } from '../read-environment.ts'
import { formatSimulation } from '../tables.ts'
import { createProgress } from '../terminal/progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { findWorkspace, type Workspace } from '../workspace.ts'

/** Paths are relative to the current folder. */
export interface SimulateOptions {
  readonly recordings: readonly string[]
  /** A folder with one folder per model. Default: the RUNNING entries of `models.dev.yml`. */
  readonly models: string | undefined
  readonly json: boolean
}

/** Runs the competition on recordings in this process, with the same pipeline as a live node. */
export async function simulate(options: SimulateOptions, terminal: Terminal): Promise<void> {
  const workspace = findWorkspace(terminal.cwd)
  const environment = readNodeEnvironment(workspace.nodeDirectory, terminal.env)
  const settings = readNodeSettings(environment)
  const files = options.recordings.map((file) => resolve(terminal.cwd, file))
  for (const file of files) requireFile(file)
  const contract = await loadNodeContract(workspace.contractPath, environment.values)
  const chosen =
    options.models === undefined
      ? await listedModels(workspace, settings.crunchId, terminal)
      : await copiedModels(resolve(terminal.cwd, options.models), workspace, terminal)
  let result: Awaited<ReturnType<typeof simulateRecordings>>
  try {
    const models = await Promise.all(
      chosen.models.map((model) => loadModel(model, settings.modelBaseClassName, chosen.inOwnPaths)),
    )
    const progress = createProgress(terminal)
    result = await simulateRecordings({
      contract,
      files,
      models: models.map((model) =>
        // Models of a folder have no cruncher. Those with the name of a baseline are given to the organizer, so that they are accepted.
        options.models === undefined || nameRefusal(contract, settings.organizerId, model) === null
          ? model
          : { ...model, cruncherId: settings.organizerId },
      ),
      organizerId: settings.organizerId,
      onProblem: (text) => terminal.err(chosen.inOwnPaths(text)),
      signal: terminal.signal,
      onProgress({ recordCount, at }) {
        progress(() => `${recordCount} records, up to ${new Date(at).toISOString()}`)
      },
    })
  } finally {
    await chosen.remove()
  }
  if (terminal.signal.aborted) throw interrupted()
  const { leaderboard, checkpoints, counts, digest, refusals, failure } = result
  terminal.out(
    options.json
      ? JSON.stringify({ leaderboard, checkpoints, counts, digest, refusals, failure })
      : formatSimulation(result, result.board),
  )
  failWith(failure, terminal)
}

/** The models to load. `inOwnPaths` replaces paths of copies by those that the user gave; `remove` deletes the copies. */
interface ChosenModels {
  readonly models: readonly RunningModel[]
  inOwnPaths(text: string): string
  remove(): Promise<void>
}

async function listedModels(workspace: Workspace, crunchId: string, terminal: Terminal): Promise<ChosenModels> {
  const models = await takeLoadable(requireRunningModels(workspace, crunchId), terminal)
  return { models, inOwnPaths: (text) => text, remove: async () => undefined }
}

/** Copies models into the workspace, as a node does: then they can import its packages, wherever they come from. */
async function copiedModels(directory: string, workspace: Workspace, terminal: Terminal): Promise<ChosenModels> {
  const originals = await takeLoadable(modelsOfFolder(directory), terminal)
  if (originals.length === 0) {
    const fix = 'name a folder with at least one model that has a main.ts or main.js'
    throw new CliError({ place: directory, cause: 'none of its models can run in this process', fix })
  }
  const scratch = await makeScratch(workspace.stateDirectory)
  const copies: LocatedModel[] = []
  const models: RunningModel[] = []
  try {
    for (const model of originals) {
      const copy = await copyModel(model.directory, scratch)
      copies.push(copy)
      models.push({ ...model, directory: join(copy.submissionsDirectory, copy.submissionId) })
    }
  } catch (error) {
    await removeScratch(scratch)
    throw error
  }
  return {
    models,
    inOwnPaths: (text) => copies.reduce((rest, copy) => copy.inOwnPaths(rest), text),
    remove: () => removeScratch(scratch),
  }
}

/** The model folders in a folder, sorted by name. The name is also the model's id. */
function modelsOfFolder(directory: string): readonly RunningModel[] {
  let names: readonly string[]
  try {
    names = readdirSync(directory).sort()
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) throw error
    throw new CliError(
      { place: directory, cause: 'there is no such folder', fix: 'name a folder that contains one folder per model' },
      { cause: error },
    )
  }
  const folders = names.filter((name) => !name.startsWith('.') && statSync(join(directory, name)).isDirectory())
  if (folders.length === 0) {
    const fix = 'name a folder that contains one folder per model, each with a main.ts'
    throw new CliError({ place: directory, cause: 'it contains no model folder', fix })
  }
  return folders.map((name) => ({
    id: name,
    name,
    cruncherId: name,
    cruncherName: name,
    directory: join(directory, name),
    place: join(directory, name),
  }))
}

/** The models that can run in this process. Prints which models are left out. */
export async function takeLoadable(
  models: readonly RunningModel[],
  terminal: Pick<Terminal, 'err'>,
): Promise<readonly RunningModel[]> {
  const languages = await Promise.all(
    models.map(async ({ directory }) => (await inspectSubmission(directory)).language),
  )
  const isLoadable = (index: number) => languages[index] === 'typescript' || languages[index] === 'javascript'
  const leftOut = models.filter((_, index) => !isLoadable(index)).map(({ id, name }) => `${id} (${name})`)
  if (leftOut.length > 0) {
    const how = 'run each of them with: crunch backtest --model DIR'
    terminal.err(`left out, because models in Python do not run in this process: ${leftOut.join(', ')}; ${how}`)
  }
  return models.filter((_, index) => isLoadable(index))
}

export async function loadModel(
  { directory, place: _, ...identity }: RunningModel,
  baseClassName: string,
  inOwnPaths: (text: string) => string = (text) => text,
): Promise<LocalModel> {
  const failed = (cause: string, error: unknown) =>
    new CliError(
      { place: inOwnPaths(directory), cause: inOwnPaths(cause), fix: 'fix the model, or exclude it' },
      { cause: error },
    )
  let ModelClass: Awaited<ReturnType<typeof loadModelClass>>
  try {
    ModelClass = await loadModelClass(directory, baseClassName)
  } catch (error) {
    if (!isExpectedError(error)) throw error
    throw failed(error.message, error)
  }
  try {
    return { ...identity, model: new ModelClass() }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    throw failed(`its constructor throws: ${text}`, error)
  }
}

function interrupted(): CliError {
  return new CliError({
    place: 'crunch simulate',
    cause: 'it was ended before the end of the recording',
    fix: 'run it again; partial results would not cover the whole recording',
  })
}
