import { existsSync } from 'node:fs'
import { orchestratorKeyFileIn } from '@crunch/model-orchestrator'
import { CliError } from '../cli-error.ts'
import { embeddedDatabase, steadyNodeArguments, type WorkerName, workerCommand } from '../engine.ts'
import { modelLogsDirectory } from '../models/local-models.ts'
import type { NodeSettings } from '../node-settings.ts'
import { exitWithParentArguments, orchestratorCommand, selfCommand } from '../self-command.ts'
import type { ServiceCommand, ServiceDefinition } from '../supervisor/service-definition.ts'
import type { Workspace } from '../workspace.ts'
import { replayDatabaseDirectory } from './replay-database.ts'
import { liveDatabaseDirectory } from './workspace-databases.ts'

/** A fast shutdown of the server takes up to 10 s, and its kill 5 s more; the process that asks for them must outlive both. */
const databaseGraceMs = 20_000

/** What is replayed, with its speed decided. */
export interface ReplayRun {
  readonly files: readonly string[]
  readonly speed: number | 'max'
}

/** What the services of a deployment are made from. */
export interface ServicesInput {
  readonly workspace: Workspace
  readonly settings: NodeSettings
  readonly replay: ReplayRun | undefined
  /** The environment of the node, read again at each start of a service. */
  environment(): Readonly<Record<string, string>>
}

/** Which embedded database a deployment uses; undefined when the settings name another server. */
export function embeddedDirectory(input: Pick<ServicesInput, 'workspace' | 'settings' | 'replay'>): string | undefined {
  // Never a database that also holds live data.
  if (input.replay !== undefined) return replayDatabaseDirectory(input.workspace)
  return input.settings.databaseUrl === undefined ? liveDatabaseDirectory(input.workspace) : undefined
}

/** What `crunch deploy dev` starts: the operator starts the workers. */
export const devServices: readonly string[] = ['postgres', 'models']

/** The processes of a deployment. Migrations are run by the worker that comes first. */
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
    // Last: the first round should find every model connected.
    workerService(input, {
      name: 'predict',
      workers: ['feed-data', 'predict'],
      after: [...afterDatabase, ...beforePredict],
    }),
  ]
}

function databaseService(input: ServicesInput, directory: string): ServiceDefinition {
  // A replay can always be begun anew.
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
    // A competition without a Python package has no such folder, and needs none.
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
  return {
    name: service.name,
    aliases: service.workers.filter((worker) => worker !== service.name),
    after: service.after,
    command: (provided) => {
      requireOwnDatabase(input, service.name, provided)
      return supervised(
        input,
        { command: program.command, args },
        { ...provided, ...replaySettings, ...orchestratorKey(input), LOG_FORMAT: 'json' },
      )
    },
  }
}

/** With the key of the orchestrator beside it, the predict worker is the coordinator in charge. */
export function orchestratorKey({
  workspace,
  settings,
}: Pick<ServicesInput, 'workspace' | 'settings'>): Readonly<Record<string, string>> {
  if (!settings.runsModelsHere || settings.apiKey !== undefined) return {}
  return { MODEL_ORCHESTRATOR_KEY_FILE: orchestratorKeyFileIn(modelLogsDirectory(workspace)) }
}

/** Without the embedded database's URL a worker would take that of the settings: a replay must never reach it. */
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
  // All our programs run on Node: each is loaded with what ends it when its supervisor is gone.
  const args = program.command === process.execPath ? [...exitWithParentArguments(), ...program.args] : program.args
  return {
    command: program.command,
    args,
    cwd: input.workspace.nodeDirectory,
    env: { ...withoutOtherDatabase(input.environment(), more), ...more },
  }
}

/** A database that the deployment provides is the only one, also beside settings of another. */
function withoutOtherDatabase(
  environment: Readonly<Record<string, string>>,
  provided: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (provided.DATABASE_URL === undefined) return environment
  return Object.fromEntries(Object.entries(environment).filter(([key]) => !key.startsWith('POSTGRES_')))
}
