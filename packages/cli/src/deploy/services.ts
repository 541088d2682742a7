import { existsSync } from 'node:fs'
import { orchestratorKeyFileIn } from '@crunch/model-orchestrator'
import { CliError } from '../cli-error.ts'
import { embeddedDatabase } from '../embedded-database.ts'
import { steadyNodeArguments, type WorkerName, workerCommand } from '../engine.ts'
import type { NodeSettings } from '../node-settings.ts'
import { exitWithParentArguments, orchestratorCommand, selfCommand } from '../self-command.ts'
import type { ServiceCommand, ServiceDefinition } from '../supervisor/service-definition.ts'
import { modelLogsDirectory, type Workspace } from '../workspace.ts'
import { liveDatabaseDirectory, replayDatabaseDirectory } from './workspace-databases.ts'

/** A fast shutdown of the server takes up to 10 s, and a kill 5 s more; the service that requests them must outlive both. */
const databaseGraceMs = 20_000

export interface ReplayRun {
  readonly files: readonly string[]
  readonly speed: number | 'max'
}

/** What determines the services of a deployment. */
export interface ServicesInput {
  readonly workspace: Workspace
  readonly settings: NodeSettings
  readonly replay: ReplayRun | undefined
  /** Reads the environment of the node; called at each start of a service. */
  environment(): Readonly<Record<string, string>>
}

/** The folder of the embedded database that a deployment uses; undefined if the settings name another server. */
export function embeddedDirectory(input: Pick<ServicesInput, 'workspace' | 'settings' | 'replay'>): string | undefined {
  // A replay never uses the live database.
  if (input.replay !== undefined) return replayDatabaseDirectory(input.workspace)
  return input.settings.databaseUrl === undefined ? liveDatabaseDirectory(input.workspace) : undefined
}

/** The services of `crunch deploy dev`; the operator starts the workers. */
export const devServices: readonly string[] = ['postgres', 'models']

/** The processes of a deployment. The first worker that starts runs the migrations. */
export function deploymentServices(input: ServicesInput): readonly ServiceDefinition[] {
  const directory = embeddedDirectory(input)
  const database = directory === undefined ? [] : [databaseService(input, directory)]
  const afterDatabase = database.map(({ name }) => name)
  const models = input.settings.runsModelsHere ? [modelsService(input)] : []
  const beforePredict = ['score', 'report', ...models.map(({ name }) => name)]
  return [
    ...database,
    ...models,
    workerService(input, { name: 'score', workers: ['score', 'checkpoint'], after: afterDatabase }),
    workerService(input, { name: 'report', workers: ['report'], after: afterDatabase }),
    // Started last, so that every model is connected in the first round.
    workerService(input, {
      name: 'predict',
      workers: ['feed-data', 'predict'],
      after: [...afterDatabase, ...beforePredict],
    }),
  ]
}

function databaseService(input: ServicesInput, directory: string): ServiceDefinition {
  // Data of a replay can be recreated.
  const disposable = input.replay === undefined ? [] : ['--disposable']
  const program = selfCommand(['embedded-postgres', '--directory', directory, ...disposable])
  return {
    name: 'postgres',
    aliases: ['database'],
    after: [],
    graceMs: databaseGraceMs,
    command: () => supervised(input, program, {}),
    provides: async () => ({ DATABASE_URL: await embeddedDatabase.url(directory) }),
  }
}

function modelsService(input: ServicesInput): ServiceDefinition {
  const { workspace, settings } = input
  const program = orchestratorCommand()
  const args = [
    ...steadyNodeArguments,
    ...program.args,
    'start',
    ...['--models', workspace.modelsFile],
    ...['--submissions', workspace.submissionsDirectory],
    ...['--crunch-id', settings.crunchId],
    ...['--base-class-name', settings.modelBaseClassName],
    ...['--port', String(settings.modelRunnerPort)],
    ...['--http-host', settings.orchestratorHost],
    ...['--http-port', String(settings.orchestratorPort)],
    ...['--logs', modelLogsDirectory(workspace)],
    ...['--environments', workspace.environmentsDirectory],
    ...['--python', settings.pythonProgram],
    // A competition without a Python package does not have this folder.
    ...(existsSync(workspace.pythonPath) ? ['--python-path', workspace.pythonPath] : []),
    ...limitArguments(settings.modelLimits),
  ]
  return {
    name: 'models',
    aliases: ['model-orchestrator', 'orchestrator'],
    after: [],
    command: () => supervised(input, { command: program.command, args }, {}),
  }
}

function limitArguments(limits: NodeSettings['modelLimits']): readonly string[] {
  const flags = {
    '--model-memory': limits.memoryMib,
    '--model-cpu': limits.cpuCores,
    '--start-timeout': limits.startTimeoutMs,
    '--model-processes': limits.processes,
    '--model-open-files': limits.openFiles,
    '--model-folder': limits.folderMib,
    '--model-network': limits.network,
    '--model-namespaces': limits.namespaces,
    '--model-allow-builds': limits.allowBuilds,
  }
  return Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]))
}

function workerService(
  input: ServicesInput,
  service: { readonly name: string; readonly workers: readonly WorkerName[]; readonly after: readonly string[] },
): ServiceDefinition {
  const { workspace, replay } = input
  const program = workerCommand(service.workers)
  const args = [...program.args, '--contract', workspace.contractPath]
  const replaySettings: Readonly<Record<string, string>> =
    replay === undefined ? {} : { FEED_REPLAY_FILES: replay.files.join(','), FEED_REPLAY_SPEED: String(replay.speed) }
  const logSettings = { LOG_FORMAT: 'json', SERVICE_LOG_DIRECTORY: workspace.logDirectory }
  return {
    name: service.name,
    aliases: service.workers.filter((worker) => worker !== service.name),
    after: service.after,
    command: (provided) => {
      requireOwnDatabase(input, service.name, provided)
      return supervised(
        input,
        { command: program.command, args },
        { ...provided, ...replaySettings, ...orchestratorKey(input), ...logSettings },
      )
    },
  }
}

/** With the orchestrator's key, the predict worker is the coordinator in charge. */
export function orchestratorKey({
  workspace,
  settings,
}: Pick<ServicesInput, 'workspace' | 'settings'>): Readonly<Record<string, string>> {
  if (!settings.runsModelsHere || settings.apiKey !== undefined) return {}
  return { MODEL_ORCHESTRATOR_KEY_FILE: orchestratorKeyFileIn(modelLogsDirectory(workspace)) }
}

/** Without the embedded database's URL, a worker would use that of the settings, even in a replay. */
function requireOwnDatabase(input: ServicesInput, name: string, provided: Readonly<Record<string, string>>): void {
  const directory = embeddedDirectory(input)
  if (directory === undefined || provided.DATABASE_URL !== undefined) return
  throw new CliError({
    place: `service ${name}`,
    cause: `the embedded database in ${directory} has not reported its address`,
    fix: `when postgres is ready, restart it: crunch restart ${name}`,
  })
}

function supervised(
  input: ServicesInput,
  program: { readonly command: string; readonly args: readonly string[] },
  more: Readonly<Record<string, string>>,
): ServiceCommand {
  // With these arguments, a Node process ends when its supervisor is gone.
  const args = program.command === process.execPath ? [...exitWithParentArguments(), ...program.args] : program.args
  return {
    command: program.command,
    args,
    cwd: input.workspace.nodeDirectory,
    env: { ...withoutOtherDatabase(input.environment(), more), ...more },
  }
}

/** Removes the database settings from the environment if the deployment provides the database. */
function withoutOtherDatabase(
  environment: Readonly<Record<string, string>>,
  provided: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (provided.DATABASE_URL === undefined) return environment
  return Object.fromEntries(Object.entries(environment).filter(([key]) => !key.startsWith('POSTGRES_')))
}
