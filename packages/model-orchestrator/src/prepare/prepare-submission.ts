import { access } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { OrchestratorError } from '../errors.ts'
import type { ProcessGuard } from '../process/process-guard.ts'
import { readOwnFile } from '../submission/read-own-file.ts'
import type { Submission } from '../submission/submission.ts'
import { writeNotebookProgram } from './notebook/notebook-submission.ts'
import type { PreparedSubmission, RunnerCommand } from './prepared-submission.ts'
import {
  type BuildListener,
  createPythonEnvironments,
  type PythonEnvironments,
  type PythonSettings,
} from './python/python-environments.ts'
import { parseRequirements } from './python/python-requirements.ts'
import type { Workshop } from './workshop.ts'

/** The dependencies of `prepareSubmission`. */
export interface PreparationResources {
  readonly runnerCommand: RunnerCommand
  readonly baseClassName: string
  /** Contains an optional folder per resource, named by its id. */
  readonly resourcesDirectory: string
  readonly pythonPath: readonly string[]
  readonly environments: PythonEnvironments
  /** The folder into which notebooks are extracted. */
  readonly notebooksDirectory: string
  readonly workshop: Workshop
}

/**
 * Opens the dependencies of `prepareSubmission`. Throws `SETTINGS_INVALID` if a folder of the Python path does not exist.
 */
export async function createPreparation(input: {
  readonly submissionsDirectory: string
  readonly runnerCommand: RunnerCommand
  readonly baseClassName: string
  readonly python: PythonSettings
  /** The environment variables from which installers get their settings. */
  readonly source: NodeJS.ProcessEnv
  readonly guard: ProcessGuard
  readonly workshop: Workshop
}): Promise<PreparationResources> {
  const { submissionsDirectory, runnerCommand, baseClassName, python, guard, workshop } = input
  const beside = dirname(submissionsDirectory)
  const pythonPath = (python.path ?? []).map((folder) => resolve(folder))
  for (const folder of pythonPath) {
    await access(folder).catch((error: unknown) => {
      const text = `--python-path ${folder} does not exist; name the folder that contains the base class's package`
      throw new OrchestratorError('SETTINGS_INVALID', text, { cause: error })
    })
  }
  const directory = resolve(python.environmentsDirectory ?? join(beside, '.environments'))
  return {
    runnerCommand,
    baseClassName,
    workshop,
    notebooksDirectory: join(directory, 'notebooks'),
    resourcesDirectory: join(beside, 'models'),
    pythonPath,
    environments: createPythonEnvironments({
      directory,
      program: python.program ?? 'python3',
      source: input.source,
      allowBuilds: python.allowBuilds ?? false,
      guard,
      workshop,
    }),
  }
}

/**
 * Prepares a submission for its launch. That may take minutes, so it happens before the model takes a turn to start, and
 * does not count as start time. Throws `BUILD_FAILED`; `onLine` gets the installer's output.
 */
export async function prepareSubmission(
  submission: Submission,
  resourceId: string | null,
  resources: PreparationResources,
  signal: AbortSignal,
  onLine: BuildListener,
): Promise<PreparedSubmission> {
  const { language, directory } = submission
  const own = await resourceEnvironment(resourceId, resources)
  const environment = { MODEL_BASE_CLASSNAME: resources.baseClassName, ...own }
  const readableDirectories = Object.values(own)
  if (language === 'typescript' || language === 'javascript') {
    const { command, args } = resources.runnerCommand
    const options = ['--code-directory', directory, '--exit-with-parent']
    return { language, directory, command, args: [...args, ...options], environment, readableDirectories }
  }
  const program = await pythonProgram(submission, resources, signal, onLine)
  const { environments, pythonPath: path } = resources
  const made = await environments.ensure(program.requirements, program.place, signal, onLine)
  return {
    language,
    directory: program.directory,
    command: made.python,
    args: [made.runner, '--code-directory', program.directory],
    environment: {
      ...environment,
      // Unbuffered, so that printed lines reach the log at once; no bytecode is written to the submission's folder.
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      // gRPC's fork handlers crash child processes that a model forks during a call.
      GRPC_ENABLE_FORK_SUPPORT: '0',
      ...(path.length === 0 ? {} : { PYTHONPATH: path.join(':') }),
    },
    readableDirectories: [...readableDirectories, made.directory, ...path],
  }
}

/** The folder of a Python program: the submission itself, or the extracted notebook. */
async function pythonProgram(
  submission: Submission,
  resources: PreparationResources,
  signal: AbortSignal,
  onLine: BuildListener,
) {
  const { directory, language, main } = submission
  const own = join(directory, 'requirements.txt')
  if (language !== 'notebook') {
    const requirements = parseRequirements((await readOwnFile(own)) ?? Buffer.alloc(0), own)
    return { directory, requirements, place: own }
  }
  const { notebooksDirectory, environments } = resources
  const interpreter = await environments.findPython(signal)
  const program = await writeNotebookProgram(submission, {
    ...resources,
    directory: notebooksDirectory,
    interpreter,
    signal,
  })
  for (const warning of program.notebook.warnings) onLine(`${main}: ${warning}`, false)
  onLine(
    `${main} was extracted to ${program.directory}; it requires: ${program.requirements.join(', ') || 'nothing'}`,
    false,
  )
  return { ...program, place: join(directory, main) }
}

/** Resources are optional: a model whose resource has no folder gets none, as with the Python orchestrator. */
async function resourceEnvironment(
  resourceId: string | null,
  resources: PreparationResources,
): Promise<Readonly<Record<string, string>>> {
  if (resourceId === null) return {}
  const directory = join(resources.resourcesDirectory, resourceId)
  const isThere = await access(directory).then(
    () => true,
    () => false,
  )
  return isThere ? { RESOURCE_DIRECTORY: directory } : {}
}
